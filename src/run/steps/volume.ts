import type { StepOf } from "../../plan/steps/step.ts";
import type { VolumeStep } from "../../plan/steps/volume.ts";
import type { Actor } from "../actor.ts";
import { FORMAT_MARK, removeFormatRecord, setFormatMark } from "../labels/format-mark.ts";
import type { Runs } from "./step-effects.ts";

/** Effects of the steps on the files of volumes. */
export const runVolume: Runs<VolumeStep> = {
  "make-volume": makeVolume,
  "remove-volume": ({ host }, { file, formats }) => {
    host.removeSame(file);
    removeFormatRecord(host, formats, file);
  },
  "resize-volume": resizeVolume,
};

async function makeVolume({ contents, host }: Actor, step: StepOf<"make-volume">): Promise<void> {
  const { folder, formats, gid, isNocow, label, mode, name, reservedBytes, uid, written } = step;
  const made = await host.makeFileWithin(folder, {
    name,
    ...(contents?.get(step.path) ?? { content: { bytes: new Uint8Array(), sizeBytes: 0 } }),
    mark: written === undefined ? undefined : { name: FORMAT_MARK, value: written },
    isNocow,
    reservedBytes,
    mode,
    uid,
    gid,
    label,
  });
  if (written === undefined) return;
  // Where the file keeps no attribute, svirt's folder has its format.
  const mark = { format: written, folder: formats };
  host.withAttributes(made, (file) => setFormatMark(host, { file, id: made }, mark));
}

async function resizeVolume({ host }: Actor, step: StepOf<"resize-volume">): Promise<void> {
  const { file, format, reservedBytes, sizeBytes } = step;
  if (format !== "qcow2") {
    await host.resizeFile(file, sizeBytes, reservedBytes);
    return;
  }
  const { planResizedQcow2 } = await import("../../images/resized-qcow2.ts");
  await host.rewriteImage(file, (image) => planResizedQcow2(image, sizeBytes));
}
