import { closeSync, constants } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import { openSame } from "../files/file-id.ts";
import { lockOpened } from "./locked-image.ts";

/**
 * Implements Host.lockImages. The descriptors are for reading: a program may open a device for itself
 * meanwhile.
 */
export async function lockImages(files: readonly FileId[]): Promise<() => void> {
  const opened: number[] = [];
  const unlock = (): void => {
    for (const fd of opened.splice(0)) closeSync(fd);
  };
  try {
    for (const file of files) {
      const fd = openSame(file, constants.O_RDONLY | constants.O_NONBLOCK);
      opened.push(fd);
      await lockOpened(fd, { as: "writer", path: file.path, verb: "write to" });
    }
  } catch (error) {
    unlock();
    throw error;
  }
  return unlock;
}
