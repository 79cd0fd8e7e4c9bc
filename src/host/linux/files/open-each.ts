import { constants } from "node:fs";
import { unlessRefused } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { OpenedFile, OpenedFiles } from "../../files.ts";
import { ENOENT } from "../calls/errno.ts";
import { basicCalls, cString, libc, readErrno } from "../calls/libc.ts";
import { FOR_READING, OpenAttributes } from "../labels/xattr.ts";
import { isSameFile, O_PATH, replaced } from "./file-id.ts";
import { type InspectedFile, openWithFacts } from "./inspect-file.ts";
import { statOpen, statRegular } from "./stat-open.ts";

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
const FOR_INSPECTION = O_PATH | constants.O_NOFOLLOW | O_CLOEXEC;
/** Most folders that stay open. Files of further folders are opened by their paths. */
const MOST_FOLDERS = 100;

/** A regular file, and where it was found: its name in an open folder. */
interface Entry {
  readonly id: FileId;
  readonly folder: number;
  readonly name: Uint8Array;
}

/** A file of the list, or the error of its inspection; undefined if it is missing. */
type Looked = Entry | InspectedFile | { readonly error: unknown } | undefined;

/**
 * Implements Host.openEach. Regular files of the same folder are found through a single descriptor of it: the
 * kernel is asked for the real path of the folder only. They are opened when they are used, and only once:
 * more descriptors would refuse the lease by which listOpened() asks whether another process has the file.
 */
export function openEach(paths: readonly string[]): OpenedFiles {
  const folders = new Map<string, InspectedFile | undefined>();
  const looked = paths.map((path): Looked => {
    try {
      return findInFolder(path, folders) ?? openWithFacts(path);
    } catch (error) {
      return { error };
    }
  });
  return {
    idAt: (place) => {
      const found = orThrow(looked[place]);
      return found !== undefined && "fd" in found ? found.facts.id : found?.id;
    },
    withOpened(place, use) {
      const found = orThrow(looked[place]);
      if (found === undefined) return undefined;
      if (!("fd" in found)) return useEntry(found, use);
      return useOpen(found.facts.id, { fd: found.fd, at: below(found.fd) }, use);
    },
    [Symbol.dispose]() {
      for (const found of looked.splice(0)) if (found !== undefined && "fd" in found) close(found.fd);
      for (const folder of folders.values()) if (folder !== undefined) close(folder.fd);
    },
  };
}

function orThrow(looked: Looked): Entry | InspectedFile | undefined {
  if (looked !== undefined && "error" in looked) throw looked.error;
  return looked;
}

/**
 * Finds an entry of a folder. Returns undefined for all that openWithFacts() must decide: a symbolic link, a
 * device, a missing file, a path without a folder.
 */
function findInFolder(path: string, folders: Map<string, InspectedFile | undefined>): Entry | undefined {
  const at = path.lastIndexOf("/");
  const last = path.slice(at + 1);
  if (at <= 0 || last === "" || last === "." || last === "..") return undefined;
  const folder = folderAt(path.slice(0, at), folders);
  if (folder === undefined) return undefined;
  const name = cString(last);
  const parent = folder.facts.id.path;
  const id = statRegular(folder.fd, name, `${parent === "/" ? "" : parent}/${last}`);
  return id === undefined ? undefined : { id, folder: folder.fd, name };
}

/** The error of a folder is the error of each of its files, and found with them. */
function folderAt(path: string, folders: Map<string, InspectedFile | undefined>): InspectedFile | undefined {
  const known = folders.get(path);
  if (known !== undefined || folders.has(path) || folders.size >= MOST_FOLDERS) return known;
  const folder = unlessRefused(() => openWithFacts(path));
  folders.set(path, folder);
  return folder;
}

/**
 * Opens a regular file for reading, by its name in its folder: a path below /proc takes the kernel three
 * times as long. Only root could put a device there meanwhile, and a pipe is opened without waiting.
 */
function useEntry<Result>(
  { folder, id, name }: Entry,
  use: (file: OpenedFile) => Result,
): Result | undefined {
  const reading = libc().openat(folder, name, FOR_READING, 0);
  if (reading < 0 && readErrno() === ENOENT) return undefined;
  const fd = reading < 0 ? libc().openat(folder, name, FOR_INSPECTION, 0) : reading;
  if (fd < 0) return undefined;
  try {
    return useOpen(id, { fd, at: reading < 0 ? below(fd) : fd }, use);
  } finally {
    close(fd);
  }
}

/** Uses an open file. Throws "denied" if it is not the file that was found. */
function useOpen<Result>(
  id: FileId,
  { at, fd }: { readonly fd: number; readonly at: number | string },
  use: (file: OpenedFile) => Result,
): Result {
  const facts = statOpen(fd, id.path);
  if (facts === undefined || !isSameFile(facts.id, id)) throw replaced(id.path);
  return use(new OpenAttributes({ at, facts, shown: id.path }));
}

function below(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function close(fd: number): void {
  basicCalls().close(fd);
}
