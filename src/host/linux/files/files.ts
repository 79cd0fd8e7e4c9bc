import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { FolderLimit } from "../../../plan/facts/step-parts.ts";
import { partialPath } from "../../../plan/partial-names.ts";
import type { FileContent } from "../../new-file.ts";
import { thrownFacts } from "../calls/errno-remedy.ts";
import { nativeName } from "../calls/native-name.ts";
import { setLabelOf } from "../labels/xattr.ts";
import { fileFacts, openAt, openSame, withFile } from "./file-id.ts";
import { mountMemory } from "./memory-mount.ts";

/** Flags of open(2) for a file that must not exist yet. */
export const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const MISSING = new Set(["ENOENT", "ENOTDIR"]);

/** Runs a call of node:fs. Returns undefined if the file is missing; other errors name the attempt. */
export function unlessMissing<Result>(attempt: string, call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SvirtError) throw error;
    if (error instanceof Error && "code" in error && MISSING.has(String(error.code))) return undefined;
    throw failedCall(attempt, error);
  }
}

/** Runs a call of node:fs; a missing file is an error too. */
export function orThrow<Result>(attempt: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (error instanceof SvirtError) throw error;
    throw failedCall(attempt, error);
  }
}

/** Runs longer work as orThrow() does. */
export async function orReject<Result>(attempt: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    return orThrow(attempt, () => {
      throw error;
    });
  }
}

/** Returns the error of node:fs with the attempt and a remedy. */
export function failedCall(attempt: string, error: unknown): SvirtError {
  const words = error instanceof Error ? error.message : String(error);
  return new SvirtError(`Cannot ${attempt}: ${words}`, {
    ...thrownFacts(error),
    cause: error,
  });
}

/** Implements Host.readText. Does not wait for the writer of a FIFO. */
export function readText(path: string): string | undefined {
  return unlessMissing(`read ${path}`, () => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readFileSync(fd, "utf8");
    } finally {
      closeSync(fd);
    }
  });
}

/** Implements Host.removeFile. */
export function removeFile(path: string): void {
  unlessMissing(`remove ${path}`, () => unlinkSync(nativeName(path)));
}

/** Implements Host.listFolder. */
export function listFolder(path: string): readonly string[] {
  return unlessMissing(`list ${path}`, () => readdirSync(path).sort()) ?? [];
}

/** Implements Host.makeFolder by descriptor: the created folder gets the label. */
export function makeFolder(folder: {
  path: string;
  mode: number;
  uid?: number;
  label?: string;
  limit?: FolderLimit;
}): void {
  orThrow(`create folder ${folder.path}`, () => {
    makeFolders(folder.path, folder.mode);
    if (folder.limit !== undefined) mountMemory(folder.path, folder.limit);
    const fd = openAt(folder.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const { label, uid } = folder;
      if (label !== undefined) {
        setLabelOf(fd, label);
      }
      fchmodSync(fd, folder.mode);
      // An ordinary user cannot change owners, and the group's ID differs from the user's.
      if (uid !== undefined && fstatSync(fd).uid !== uid) fchownSync(fd, uid, uid);
    } finally {
      closeSync(fd);
    }
  });
}

/**
 * Makes the folder and those above it. For a folder that exists and may not be inspected, as one with a label
 * that the policy denies to svirt, mkdir reports EEXIST: the opening of the folder then reports the reason.
 */
function makeFolders(path: string, mode: number): void {
  try {
    mkdirSync(path, { recursive: true, mode });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

/** Implements Host.makeSymlink: replaces an existing file; the link is on disk on return. */
export function makeSymlink(path: string, target: string): void {
  removeFile(path);
  orThrow(`create symlink ${path}`, () => {
    symlinkSync(target, path);
    syncFolder(dirname(path));
  });
}

/** Implements Host.makeFile. Neither link(2) nor O_EXCL replaces an existing file. */
export function makeFile(path: string, mode: number, content?: FileContent): FileId {
  const fresh = content === undefined ? path : partialPath(path);
  return orThrow(`make ${path}`, () => {
    if (fresh !== path) removeFile(fresh);
    const made = writeNew(fresh, mode, content);
    if (fresh === path) return made;
    try {
      linkSync(nativeName(fresh), nativeName(path));
    } finally {
      unlinkSync(nativeName(fresh));
    }
    syncFolder(dirname(path));
    return { ...made, path };
  });
}

/** Identifies the file by its descriptor, since its path may lead to another file a moment later. */
function writeNew(path: string, mode: number, content: FileContent | undefined): FileId {
  const fd = openSync(nativeName(path), NEW_FILE, mode);
  try {
    writeFileSync(fd, content?.bytes ?? "");
    ftruncateSync(fd, content?.sizeBytes ?? 0);
    fsyncSync(fd);
    return fileFacts(path, fstatSync(fd, { bigint: true })).id;
  } finally {
    closeSync(fd);
  }
}

/** Implements Host.writeBytes. */
export function writeBytes(file: FileId, offset: number, bytes: Uint8Array): void {
  orThrow(`write ${file.path}`, () => {
    const fd = openSame(file, constants.O_WRONLY);
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
    } finally {
      closeSync(fd);
    }
  });
}

/** Implements Host.renameFile. */
export function renameFile(from: string, to: string): void {
  orThrow(`rename ${from} to ${to}`, () => {
    const fd = openAt(from, constants.O_RDONLY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(nativeName(from), nativeName(to));
    syncFolder(dirname(to));
  });
}

/** Implements Host.mayOpen. */
export function mayOpen(file: FileId): boolean {
  return withFile(file, (path) => {
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Implements Host.readBytes. */
export function readBytes(file: FileId, offset: number, length: number): Uint8Array {
  return orThrow(`read ${file.path}`, () => {
    // Without O_NONBLOCK, opening a FIFO in its place would wait forever.
    const fd = openSame(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    } finally {
      closeSync(fd);
    }
  });
}

/** Puts the entries of a folder on disk. fsync(2) */
export function syncFolder(path: string): void {
  const fd = openSync(nativeName(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
