import type { WipeMethod } from "../../../host/files.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { Instance } from "../../../state/instance.ts";
import { findVolume } from "../find-volume.ts";
import { refuseSparse } from "../logical-facts.ts";
import { runVolumeStep } from "../made/volume-file.ts";
import { refuseNeeded } from "../refuse-needed.ts";
import { withUnusedVolume } from "../unused-volume.ts";
import { whileOverwriting } from "./overwritten.ts";

/**
 * Makes all bytes of a volume's file zero: an image with a header is none afterwards. Throws "not-found";
 * "in-use" for a volume that a guest, a definition or another volume has; "unsupported" if the file system
 * cannot do that; "denied".
 */
export async function wipeVolume(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined; readonly seen?: FileId },
  how: WipeMethod,
): Promise<void> {
  // As an upload, without the registry's lock.
  for (const step of (await planWipe(instance, volume, how)).steps)
    await whileOverwriting(instance, step.file, {
      command: "vol-wipe",
      work: async () => await runVolumeStep(instance, step),
    });
}

/** Returns the steps of wipeVolume(), and changes nothing. Throws its errors. */
export async function planWipe(
  instance: Instance,
  volume: Parameters<typeof wipeVolume>[1],
  how: WipeMethod,
): Promise<{ readonly steps: readonly StepOf<"wipe-volume">[] }> {
  await refuseSparse(instance, await findVolume(instance, volume.key, volume.pool));
  const id = await withUnusedVolume(
    instance,
    { ...volume, attempt: "wipe", readsPools: true },
    ({ facts, folder, pass }) => {
      refuseNeeded(instance, { attempt: `wipe ${facts.id.path}`, file: facts.id, pass }, folder);
      return facts.id;
    },
  );
  return { steps: [{ do: "wipe-volume", file: id, method: how }] };
}
