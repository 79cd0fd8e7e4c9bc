import { SvirtError } from "../../../errors.ts";
import type { DataStream } from "../../../host/channels.ts";
import type { FilePart } from "../../../host/new-file.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import type { Instance } from "../../../state/instance.ts";
import { runVolumeStep } from "../made/volume-file.ts";
import { refuseNeeded } from "../refuse-needed.ts";
import { withUnusedVolume } from "../unused-volume.ts";
import { openOverwriting, whileOverwriting } from "./overwritten.ts";

/**
 * Overwrites a part of a volume with the operator's input. Throws "not-found"; "in-use" for a volume that a
 * guest, a definition or another volume has; "usage" for an input that is longer than the part; "denied",
 * also for a file that a restricted key names.
 */
export async function uploadVolume(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined },
  { file, part }: { readonly file: string; readonly part: FilePart },
): Promise<void> {
  const { onProgress } = part;
  const { steps } = await planUpload(instance, volume, { file, part });
  // Without the registry's lock, since it may take long. A guest that starts meanwhile finds the image
  // locked.
  for (const step of steps)
    await whileOverwriting(instance, step.file, {
      command: "vol-upload",
      part,
      work: async () => await runVolumeStep(instance, step, { onProgress }),
    });
}

/** Returns the steps of uploadVolume(), and changes nothing. Throws its errors, except those of the input. */
export async function planUpload(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined },
  { file, part }: { readonly file: string; readonly part: FilePart },
): Promise<{ readonly steps: readonly StepOf<"fill-volume">[] }> {
  if (instance.isForKey === true && file !== "-") throw notForKey(file);
  const { id, part: fitting } = await checkVolume(instance, volume, part);
  const { isSparse, mostBytes, offset } = fitting;
  const most = mostBytes === undefined ? {} : { mostBytes };
  return { steps: [{ do: "fill-volume", file: id, from: file, offset, ...most, isSparse }] };
}

/**
 * Opens a part of a volume for a client's data. Until the stream is closed, guests find the image locked.
 * Data beyond the part is an error of the stream, which leaves a volume that is written in part. Throws as
 * uploadVolume().
 */
export async function openUpload(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined },
  part: FilePart,
): Promise<DataStream> {
  const { id, part: fitting } = await checkVolume(instance, volume, part);
  return await openOverwriting(instance, id, {
    command: "vol-upload",
    part,
    open: async () => await instance.host.openSink(id, fitting),
  });
}

/** Returns the file or device of a volume that may be overwritten, and the part of it that has room. */
async function checkVolume(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined },
  part: FilePart,
): Promise<{ readonly id: FileId; readonly part: FilePart }> {
  const attempt = { ...volume, attempt: "upload to", readsPools: true } as const;
  const { id, mostBytes } = await withUnusedVolume(
    instance,
    attempt,
    ({ facts, folder, pass, sizeBytes }) => {
      refuseNeeded(instance, { attempt: `upload to ${facts.id.path}`, file: facts.id, pass }, folder);
      // A device does not grow.
      const rest = folder === undefined ? Math.max(0, sizeBytes - part.offset) : undefined;
      return {
        id: facts.id,
        mostBytes: rest === undefined ? part.mostBytes : Math.min(part.mostBytes ?? rest, rest),
      };
    },
  );
  return { id, part: { ...part, mostBytes } };
}

/** A guest that the key may start would read the file, which may be any of the host's. */
function notForKey(file: string): SvirtError {
  return new SvirtError(`Cannot upload ${file}: a restricted key uploads standard input only`, {
    kind: "denied",
    remedy: "Write - in place of the file, and pass it on standard input.",
  });
}
