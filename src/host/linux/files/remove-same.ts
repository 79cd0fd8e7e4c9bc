import { closeSync, constants, fstatSync, rmdirSync, unlinkSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import { nativeName } from "../calls/native-name.ts";
import { O_PATH, openAt, openPath, refuseOther } from "./file-id.ts";
import { unlessMissing } from "./files.ts";

/**
 * Implements Host.removeSame. Replacing the folder has no effect: the file is removed through the opened
 * folder.
 */
export function removeSame(file: FileId): void {
  removeAt(file, unlinkSync);
}

/** Implements Host.removeEmptyFolder. */
export function removeEmptyFolder(folder: FileId): void {
  removeAt(folder, rmdirSync);
}

function removeAt(file: FileId, remove: (at: string | Buffer) => void): void {
  const cut = file.path.lastIndexOf("/");
  unlessMissing(`remove ${file.path}`, () => {
    const folder = openAt(file.path.slice(0, cut) || "/", O_PATH | constants.O_DIRECTORY);
    try {
      const at = `/proc/self/fd/${folder}${file.path.slice(cut)}`;
      refuseOtherAt(at, file);
      remove(nativeName(at));
    } finally {
      closeSync(folder);
    }
  });
}

function refuseOtherAt(at: string, file: FileId): void {
  const fd = openPath(at);
  try {
    refuseOther(file, fstatSync(fd, { bigint: true }));
  } finally {
    closeSync(fd);
  }
}
