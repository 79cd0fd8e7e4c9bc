import { fstatSync, fsyncSync, ftruncateSync } from "node:fs";
import type { ImageBytes, ImageWrites } from "../../../images/image-writes.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { withLockedImage } from "./locked-image.ts";
import { readAt } from "./read-at.ts";
import { writePart } from "./write-part.ts";

/** Implements Host.rewriteImage. */
export function rewriteImage(file: FileId, plan: (image: ImageBytes) => ImageWrites): void {
  withLockedImage(file, (fd) => {
    const sizeBytes = fstatSync(fd).size;
    const [first = [], ...others] = plan({
      sizeBytes,
      read: (offset, length) => readAt(fd, offset, length),
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
