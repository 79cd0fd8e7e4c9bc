import { SvirtError } from "../../errors.ts";
import { walkChain } from "../../images/chain.ts";
import type { FileId } from "../../plan/facts/file.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { fileFormats } from "../../resolve/formats/file-formats.ts";
import { imageSize } from "../../resolve/image-size.ts";
import { imageReader } from "../../resolve/inspect-file.ts";
import type { Instance } from "../../state/instance.ts";
import { decideResize, type Resize } from "../../storage/volume/resized-volume.ts";
import { dataOffsetOf } from "./luks-data.ts";
import { runVolumeStep } from "./made/volume-file.ts";
import { refuseNeeded } from "./refuse-needed.ts";
import { withUnusedVolume } from "./unused-volume.ts";
import { describeImage } from "./volume-image.ts";

/**
 * Sets the capacity of a raw or qcow2 volume, and returns its name. Throws "not-found"; "in-use" for a volume
 * that a guest uses, or, to shrink it, that a definition or another volume has; "usage", "unsupported",
 * "denied".
 */
export async function resizeVolume(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined },
  resize: Resize,
): Promise<string> {
  return await withResizable(instance, { volume, resize }, async (step, name) => {
    await runVolumeStep(instance, step);
    return name;
  });
}

/** Returns the steps of resizeVolume(), and changes nothing. Throws its errors. */
export async function planResize(
  instance: Instance,
  volume: ResizedVolume,
  resize: Resize,
): Promise<{ readonly steps: readonly ResizeVolume[] }> {
  return await withResizable(instance, { volume, resize }, (step) => ({ steps: [step] }));
}

type ResizeVolume = StepOf<"resize-volume">;
type ResizedVolume = Parameters<typeof resizeVolume>[1];

/** Does the work with the step that resizes a volume. Throws as resizeVolume(). */
async function withResizable<Result>(
  instance: Instance,
  { resize, volume }: { readonly volume: ResizedVolume; readonly resize: Resize },
  work: (step: ResizeVolume, name: string) => Result | Promise<Result>,
): Promise<Result> {
  const operation = "changing of volume capacity";
  return await withUnusedVolume(
    instance,
    { ...volume, attempt: "resize", operation, readsPools: resize.isShrunk },
    async ({ facts, folder, name, pass }) => {
      const seen = describeImage(instance, facts, fileFormats(instance));
      const { capacityBytes = facts.sizeBytes, ...image } = seen;
      // The data of a LUKS volume follow its header, which has no size.
      const isLuks = image.format === "luks" && image.encryption !== undefined;
      const headerBytes = isLuks ? dataOffsetOf(facts, capacityBytes) : 0;
      const format = isLuks ? "raw" : image.format;
      const { allocatedBytes: allocationBytes, id } = facts;
      const { reservedBytes, sizeBytes } = decideResize(
        { name, format, capacityBytes, allocationBytes },
        resize,
      );
      if (sizeBytes < capacityBytes)
        refuseNeeded(instance, { attempt: `shrink ${id.path}`, file: id, pass }, folder);
      if (format === "qcow2" && sizeBytes > capacityBytes) refuseLongBacking(instance, id, capacityBytes);
      const step = {
        do: "resize-volume",
        file: id,
        format,
        fromBytes: headerBytes + capacityBytes,
        sizeBytes: headerBytes + sizeBytes,
        reservedBytes: reservedBytes === 0 ? 0 : headerBytes + reservedBytes,
      } as const;
      return await work(step, name);
    },
  );
}

/** Throws "unsupported" if the new part of an image would show data of its backing file. */
function refuseLongBacking(instance: Instance, { path }: FileId, capacityBytes: number): void {
  const chain = walkChain({ path, format: "qcow2", readOnly: true }, imageReader(instance));
  const below = chain.find(({ role }) => role === "backing");
  if (below === undefined || imageSize(instance, below) <= capacityBytes) return;
  throw new SvirtError(
    `Cannot resize ${path}: its backing file ${below.path} is larger, and its data would show in the new part`,
    {
      kind: "unsupported",
      remedy: "While no guest uses it: qemu-img resize FILE SIZE, which writes zeros there.",
    },
  );
}
