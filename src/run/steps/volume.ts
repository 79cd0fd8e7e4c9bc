import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { FileId } from "../../plan/facts/file.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import type { VolumeStep } from "../../plan/steps/volume.ts";
import { MODE_BITS } from "../../storage/mode-bits.ts";
import type { Actor } from "../actor.ts";
import { FORMAT_MARK, removeFormatRecord, setFormatMark } from "../labels/format-mark.ts";
import type { Runs } from "./step-effects.ts";

/** Effects of the steps on volumes. */
export const runVolume: Runs<VolumeStep> = {
  "make-volume": makeVolume,
  "remove-volume": ({ host }, { file, formats }) => {
    host.removeSame(file);
    removeFormatRecord(host, formats, file);
  },
  "resize-volume": resizeVolume,
  "fill-device": async ({ data, host }, { device, part, path }) => {
    const given = data?.get(path);
    if (device === undefined || given === undefined) throw missing(path);
    await host.copyToDevice(device, given, part);
  },
  "own-device": ownDevice,
  "tell-kernel": async ({ host }, { act, disk, number, words }) => {
    if (knowsPartition(host, disk, number) === (act === "add")) return;
    const verb = act === "add" ? "show" : "hide";
    const { runTool } = await import("./pool/run-tool.ts");
    await runTool(host, { words, attempt: `${verb} the partition ${number} of ${disk.path}` });
  },
  "fill-volume": async ({ host, onProgress }, { file, from, isSparse, mostBytes, offset }) =>
    await host.fillFile(file, from, {
      offset,
      mostBytes,
      isSparse,
      ...(onProgress === undefined ? {} : { onProgress }),
    }),
  "wipe-volume": async ({ host }, { file, method }) => await host.wipeFile(file, method),
};

/** Whether the kernel has a partition of a disk, whatever its table has. */
export function knowsPartition(host: Host, { node }: FileId, number: number): boolean {
  const folder = `/sys/dev/block/${node}`;
  return host
    .listFolder(folder)
    .some((name) => Number(host.readText(`${folder}/${name}/partition`)?.trim()) === number);
}

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

/** The owner lasts until the node is made again, as at a boot. */
function ownDevice({ host }: Actor, { device, gid, mode, path, uid }: StepOf<"own-device">): void {
  const is = device === undefined ? undefined : host.inspectFile(device.path);
  if (device === undefined || is === undefined || is.id.node !== device.node) throw missing(path);
  host.setOwnership(device, { uid: uid ?? is.uid, gid: gid ?? is.gid, mode: mode ?? is.mode & MODE_BITS });
}

function missing(path: string): SvirtError {
  return new SvirtError(`Cannot write to ${path}: its device or its data is missing`, {
    kind: "failed",
    remedy: "Repeat the command.",
  });
}
