import { closeSync, constants, fstatSync, openSync, readdirSync, unlinkSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import { isPartialVolume } from "../../../plan/partial-names.ts";
import { libc } from "../calls/libc.ts";
import { O_PATH, openAt, withFile } from "../files/file-id.ts";

/** sys/file.h */
const LOCK_SH = 1;
export const LOCK_EX = 2;
const LOCK_NB = 4;

/** Implements Host.listLeftParts. */
export function listLeftParts(folder: FileId): readonly string[] {
  return withFile(folder, (at) => listParts(at).filter((name) => isLeft(`${at}/${name}`)));
}

/** Implements Host.removeLeftParts. */
export function removeLeftParts(folder: FileId): void {
  withFile(folder, removePartsIn);
}

/** Removes the files of interrupted calls in an opened folder. */
export function removePartsIn(at: string): void {
  for (const name of listParts(at)) {
    // On NFS this lock needs a file that is open for writing. flock(2), "NFS details"
    whileLocked(`${at}/${name}`, { flags: constants.O_RDWR, how: LOCK_EX }, unlinkSync);
  }
}

/** Locks a file that is being made, and returns false if another call has it. flock(2) */
export function tryLock(fd: number, how: number): boolean {
  return libc().flock(fd, how | LOCK_NB) === 0;
}

function listParts(at: string): readonly string[] {
  return readdirSync(at).filter(isPartialVolume);
}

function isLeft(path: string): boolean {
  return whileLocked(path, { flags: constants.O_RDONLY, how: LOCK_SH }, () => undefined);
}

/** Does work while no other call has the part, and returns whether it did. */
function whileLocked(
  path: string,
  { flags, how }: { readonly flags: number; readonly how: number },
  work: (path: string) => void,
): boolean {
  const fd = openPart(path, flags);
  if (fd === undefined) return false;
  try {
    const isLocked = tryLock(fd, how);
    if (isLocked) work(path);
    return isLocked;
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a part. Returns undefined if it is gone, or is no file of svirt: a symlink, a device, or a file that
 * svirt may not open.
 */
function openPart(path: string, flags: number): number | undefined {
  try {
    const fd = openAt(path, O_PATH);
    try {
      return fstatSync(fd).isFile() ? openSync(`/proc/self/fd/${fd}`, flags) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
