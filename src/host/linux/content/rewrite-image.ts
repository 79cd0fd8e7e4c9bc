import { fstatSync, ftruncateSync } from "node:fs";
import type { ImageBytes, ImageWrites } from "../../../images/image-writes.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import { letOthersRun } from "../calls/let-others-run.ts";
import { withLockedImage } from "./locked-image.ts";
import { readAt } from "./read-at.ts";
import { syncFile } from "./sync-data.ts";
import { writePart } from "./write-part.ts";

/** Implements Host.rewriteImage. */
export async function rewriteImage(file: FileId, plan: (image: ImageBytes) => ImageWrites): Promise<void> {
  await withLockedImage(file, async (fd) => {
    const sizeBytes = fstatSync(fd).size;
    const [first = [], ...others] = plan({
      sizeBytes,
      read: (offset, length) => readAt(fd, offset, length),
    });
    try {
      await writeGroup(fd, first);
    } catch (error) {
      // As on a full disk. Nothing leads to the bytes behind the old end yet.
      ftruncateSync(fd, sizeBytes);
      throw error;
    }
    for (const group of others) await writeGroup(fd, group);
  });
}

async function writeGroup(fd: number, group: ImageWrites[number]): Promise<void> {
  for (const part of group) {
    writePart(fd, part);
    await letOthersRun();
  }
  await syncFile(fd);
}
