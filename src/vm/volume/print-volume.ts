import { SvirtError } from "../../errors.ts";
import type { DataStream } from "../../host/channels.ts";
import type { FilePart } from "../../host/new-file.ts";
import type { Instance } from "../../state/instance.ts";
import { withUnusedVolume } from "./unused-volume.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Volume by its name, key or path, and its pool. */
interface NamedVolume {
  readonly key: string;
  readonly pool: string | undefined;
}

/**
 * Prints a part of a volume, until the reader closes the output. Throws "usage" for holes, which no pipe has,
 * and the errors of openDownload() and of its stream.
 */
export async function printVolume(
  instance: Instance,
  volume: NamedVolume,
  { part, print }: { readonly part: FilePart; readonly print: (bytes: Uint8Array) => boolean },
): Promise<void> {
  if (part.isSparse) throw noHoles();
  const { stream, totalBytes } = await openDownload(instance, volume, part);
  try {
    for (let done = 0; ; ) {
      const piece = await stream.next?.(CHUNK_BYTES);
      if (!(piece instanceof Uint8Array) || !print(piece)) return;
      done += piece.length;
      part.onProgress?.(done, totalBytes);
    }
  } finally {
    await stream.close();
  }
}

/**
 * Opens a part of a volume for reading. The stream throws "in-use" at its end if the volume changed
 * meanwhile. Throws "not-found"; "in-use" for a volume that a guest uses; "denied".
 */
export async function openDownload(
  instance: Instance,
  volume: NamedVolume,
  part: FilePart,
): Promise<{ readonly stream: DataStream; readonly totalBytes: number }> {
  const { host } = instance;
  // Checked under the lock, and read without it, since that may take long.
  const attempt = { ...volume, attempt: "download" };
  const { facts, sizeBytes } = await withUnusedVolume(instance, attempt, (unused) => unused);
  const totalBytes = Math.max(0, Math.min(sizeBytes - part.offset, part.mostBytes ?? sizeBytes));
  const source = host.openSource(facts.id, { ...part, mostBytes: totalBytes });
  const stream: DataStream = {
    async next(mostBytes) {
      const piece = await source.next?.(mostBytes);
      if (piece !== undefined) return piece;
      const after = host.inspectFile(facts.id.path);
      if (after?.times.changedNs !== facts.times.changedNs || after.sizeBytes !== facts.sizeBytes)
        throw changed(facts.id.path);
      return undefined;
    },
    close: () => source.close(),
  };
  return { stream, totalBytes };
}

function noHoles(): SvirtError {
  return new SvirtError("Cannot keep holes on standard output", {
    kind: "usage",
    from: "STORAGE",
    remedy: "Leave --sparse out, or name a file.",
  });
}

function changed(path: string): SvirtError {
  return new SvirtError(`Cannot download ${path}: it changed meanwhile`, {
    kind: "in-use",
    remedy: "Stop the program that writes or labels it, then repeat the command.",
  });
}
