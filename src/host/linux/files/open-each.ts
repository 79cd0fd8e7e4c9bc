import { constants } from "node:fs";
import { unlessRefused } from "../../../errors.ts";
import type { FileAttributes } from "../../file-attributes.ts";
import type { OpenedFiles } from "../../files.ts";
import { basicCalls, cString, libc } from "../calls/libc.ts";
import { attributesAt, attributesOfOpen } from "../labels/xattr.ts";
import { O_PATH } from "./file-id.ts";
import { type InspectedFile, openWithFacts } from "./inspect-file.ts";
import { askServer, isStillOpen, statOpen } from "./stat-open.ts";

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
/** Flags of openat(2) for an entry of an open folder. */
const OF_FOLDER = O_PATH | constants.O_NOFOLLOW | O_CLOEXEC;
const FOR_READING =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC;
/** Most folders that stay open. Files of further folders are opened by their paths. */
const MOST_FOLDERS = 100;

/** A file, and its folder if it was opened there. */
interface Entry extends InspectedFile {
  readonly within?: { readonly folder: number; readonly name: Uint8Array };
}

/** A file of the list, or the error of its inspection; undefined if it is missing. */
type Looked = Entry | { readonly error: unknown } | undefined;

/**
 * Implements Host.openEach. Files of the same folder are opened through a single descriptor of it: the kernel
 * is asked for the real path of the folder only.
 */
export function openEach(paths: readonly string[]): OpenedFiles {
  const folders = new Map<string, InspectedFile | undefined>();
  const entries = paths.map((path): Looked => {
    try {
      return openInFolder(path, folders) ?? openWithFacts(path);
    } catch (error) {
      return { error };
    }
  });
  return {
    inspected: (place) => orThrow(entries[place])?.facts,
    withOpened(place, use) {
      const entry = orThrow(entries[place]);
      if (entry === undefined) return undefined;
      const again = openForReading(entry);
      if (again === undefined) askServer(entry.fd, entry.facts);
      try {
        return use({ facts: entry.facts, ...attributesOfEntry(entry, again) });
      } finally {
        if (again !== undefined) close(again);
      }
    },
    [Symbol.dispose]() {
      for (const entry of entries.splice(0)) if (entry !== undefined && "fd" in entry) close(entry.fd);
      for (const folder of folders.values()) if (folder !== undefined) close(folder.fd);
    },
  };
}

function orThrow(looked: Looked): Entry | undefined {
  if (looked !== undefined && "error" in looked) throw looked.error;
  return looked;
}

/** A path below /proc is looked up at each call; a descriptor for reading is not. */
function attributesOfEntry({ facts, fd }: InspectedFile, again: number | undefined): FileAttributes {
  const shown = facts.id.path;
  return again === undefined
    ? attributesAt({ at: `/proc/self/fd/${fd}`, shown })
    : attributesOfOpen(again, shown);
}

/**
 * Opens an entry of a folder. Returns undefined for all that openWithFacts() must decide: a symbolic link, a
 * missing file, a path without a folder.
 */
function openInFolder(path: string, folders: Map<string, InspectedFile | undefined>): Entry | undefined {
  const at = path.lastIndexOf("/");
  const last = path.slice(at + 1);
  if (at <= 0 || last === "" || last === "." || last === "..") return undefined;
  const folder = folderAt(path.slice(0, at), folders);
  if (folder === undefined) return undefined;
  const name = cString(last);
  const fd = libc().openat(folder.fd, name, OF_FOLDER, 0);
  if (fd < 0) return undefined;
  const parent = folder.facts.id.path;
  const facts = statOpen(fd, `${parent === "/" ? "" : parent}/${last}`);
  if (facts !== undefined) return { fd, facts, within: { folder: folder.fd, name } };
  close(fd);
  return undefined;
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
 * times as long. Returns undefined if it may not be read, or if another file is there now: only root could
 * put a device there, and a pipe is opened without waiting.
 */
function openForReading({ facts, within }: Entry): number | undefined {
  if (within === undefined || facts.type !== "file") return undefined;
  const again = libc().openat(within.folder, within.name, FOR_READING, 0);
  if (again < 0) return undefined;
  if (isStillOpen(again, facts.id)) return again;
  close(again);
  return undefined;
}

function close(fd: number): void {
  basicCalls().close(fd);
}
