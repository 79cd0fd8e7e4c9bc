import { fstatSync, fsyncSync, ftruncateSync, readSync } from "node:fs";
import type { ImageBytes, ImageWrites } from "../../../images/image-writes.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { withLockedImage } from "./locked-image.ts";
import { writePart } from "./write-part.ts";

/** Implements Host.rewriteImage. */
export function rewriteImage(file: FileId, plan: (image: ImageBytes) => ImageWrites): void {
  withLockedImage(file, (fd) => {
    const sizeBytes = fstatSync(fd).size;
    const [first = [], ...others] = plan({
      sizeBytes,
      read: (offset, length) => readAll(fd, offset, length),
    });
    try {
      writeGroup(fd, first);
    } catch (error) {
      // As on a full disk. Nothing leads to the bytes behind the old end yet.
      ftruncateSync(fd, sizeBytes);
      throw error;
    }
    for (const group of others) writeGroup(fd, group);
  });
}

function writeGroup(fd: number, group: ImageWrites[number]): void {
  for (const part of group) writePart(fd, part);
  fsyncSync(fd);
}

/** Reads bytes, and zeros behind the end of the file. */
function readAll(fd: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const count = readSync(fd, bytes, at, length - at, offset + at);
    if (count === 0) break;
    at += count;
  }
  return bytes;
}
