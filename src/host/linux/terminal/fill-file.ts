import { closeSync, fstatSync, ftruncateSync, readSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { FilePart } from "../../new-file.ts";
import { letOthersRun } from "../calls/let-others-run.ts";
import { send } from "../content/copy-into.ts";
import { type Extent, listData, openedSize } from "../content/extents.ts";
import { withLockedImage } from "../content/locked-image.ts";
import { clearPart } from "../content/resize-file.ts";
import { writePart } from "../content/write-part.ts";
import { type Input, openInput } from "./read-input.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Open file to write to, with its path for errors. */
interface Written {
  readonly fd: number;
  readonly path: string;
}

/** Implements Host.fillFile. */
export async function fillFile(file: FileId, from: string, part: FilePart): Promise<void> {
  const input = openInput(from);
  try {
    const sizeBytes = input.isOurs ? fstatSync(input.fd).size : undefined;
    if (sizeBytes !== undefined && sizeBytes > mostBytesOf(part)) throw tooLong(input, part);
    await withLockedImage(file, async (fd) => {
      const written = { fd, path: file.path };
      if (sizeBytes === undefined) await writeStream(input, written, part);
      else await writeFile({ ...input, sizeBytes }, written, part);
    });
  } finally {
    if (input.isOurs) closeSync(input.fd);
  }
}

/** Writes a regular file. Its holes are the volume's, made with --sparse. */
async function writeFile(
  { fd: from, sizeBytes }: Input & { readonly sizeBytes: number },
  { fd, path }: Written,
  { isSparse, offset, onProgress }: FilePart,
): Promise<void> {
  let at = 0;
  for (const { end, start } of isSparse ? listData(from, sizeBytes) : [whole(sizeBytes)]) {
    await clearPart(fd, path, { start: offset + at, end: offset + start });
    const onSent = (reached: number): void => onProgress?.(reached, sizeBytes);
    at = await send(from, fd, { path, start, end, onSent, to: offset + start });
    // The file has become shorter.
    if (at < end) return;
  }
  await clearPart(fd, path, { start: offset + at, end: offset + sizeBytes });
  if (openedSize(fd) < offset + sizeBytes) ftruncateSync(fd, offset + sizeBytes);
}

function whole(sizeBytes: number): Extent {
  return { start: 0, end: sizeBytes };
}

/** Writes everything readable from a pipe. */
async function writeStream(input: Input, { fd }: Written, part: FilePart): Promise<void> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  const mostBytes = mostBytesOf(part);
  for (let total = 0; ; ) {
    const count = readSync(input.fd, chunk, 0, chunk.length, null);
    if (count === 0) return;
    const fitting = Math.min(count, mostBytes - total);
    writePart(fd, { bytes: chunk.subarray(0, fitting), offset: part.offset + total });
    if (fitting < count) throw tooLong(input, part);
    total += count;
    await letOthersRun();
  }
}

function mostBytesOf({ mostBytes, offset }: FilePart): number {
  return mostBytes ?? Number.MAX_SAFE_INTEGER - offset;
}

function tooLong({ shown }: Input, part: FilePart): SvirtError {
  return new SvirtError(`Cannot upload ${shown}: it is longer than ${mostBytesOf(part)} bytes`, {
    kind: "usage",
    remedy: "Write a greater --length, or leave it out.",
  });
}
