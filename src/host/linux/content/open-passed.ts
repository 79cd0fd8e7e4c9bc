import { closeSync, constants, ftruncateSync } from "node:fs";
import type { PassedFile } from "../../../plan/facts/launch-spec.ts";
import { openSame } from "../files/file-id.ts";
import { orThrow } from "../files/files.ts";
import { lockImage } from "./image-lock.ts";

const ACCESS_FLAGS: Readonly<Record<PassedFile["access"], number>> = {
  "read-only": constants.O_RDONLY,
  "read-write": constants.O_RDWR,
  append: constants.O_WRONLY | constants.O_APPEND,
};

/**
 * Opens the file that was inspected, with the guest's access mode, and locks it. Throws "host-call",
 * "denied", "in-use".
 */
export async function openPassed(passed: PassedFile): Promise<number> {
  const { file, lock, truncate } = passed;
  const fd = orThrow(`open ${file.path}`, () => openSame(file, flagsOf(passed)));
  try {
    if (lock !== undefined) await lockImage(fd, file.path, lock);
    // Emptied only after the check: O_TRUNC would first empty another file in its place.
    if (truncate) orThrow(`empty ${file.path}`, () => ftruncateSync(fd));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function flagsOf({ access, direct, nonBlocking }: PassedFile): number {
  const { O_DIRECT, O_NOCTTY, O_NONBLOCK } = constants;
  return ACCESS_FLAGS[access] | O_NOCTTY | (direct ? O_DIRECT : 0) | (nonBlocking ? O_NONBLOCK : 0);
}
