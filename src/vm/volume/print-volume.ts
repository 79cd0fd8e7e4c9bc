import { SvirtError } from "../../errors.ts";
import type { FilePart } from "../../host/new-file.ts";
import type { Instance } from "../../state/instance.ts";
import { withUnusedVolume } from "./unused-volume.ts";

const CHUNK_BYTES = 1024 * 1024;

/**
 * Prints a part of a volume, until the reader closes the output. Throws "not-found"; "in-use" for a volume that a guest uses or
 * that changes meanwhile; "usage" for holes, which no pipe has; "denied".
 */
export async function printVolume(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined },
  { part, print }: { readonly part: FilePart; readonly print: (bytes: Uint8Array) => boolean },
): Promise<void> {
  const { isSparse, mostBytes, offset, onProgress } = part;
  if (isSparse) throw noHoles();
  const { host } = instance;
  // Checked under the lock, and printed without it, since that may take long.
  const attempt = { ...volume, attempt: "download" };
  const { id, sizeBytes, times } = await withUnusedVolume(instance, attempt, ({ facts }) => facts);
  const end = Math.min(sizeBytes, mostBytes === undefined ? sizeBytes : offset + mostBytes);
  for (let at = offset; at < end; ) {
    const bytes = host.readBytes(id, at, Math.min(CHUNK_BYTES, end - at));
    if (bytes.length === 0) break;
    if (!print(bytes)) return;
    at += bytes.length;
    onProgress?.(at - offset, end - offset);
  }
  const after = host.inspectFile(id.path);
  if (after?.times.changedNs !== times.changedNs || after.sizeBytes !== sizeBytes) throw changed(id.path);
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
