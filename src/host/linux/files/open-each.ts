import { closeSync, fstatSync } from "node:fs";
import type { OpenedFile, OpenedFiles } from "../../files.ts";
import { cString, libc } from "../calls/libc.ts";
import { attributesAt } from "../labels/xattr.ts";
import { askServer } from "./ask-server.ts";
import { fileFacts, O_PATH } from "./file-id.ts";
import { type InspectedFile, openInspected } from "./inspect-file.ts";

/** asm-generic/fcntl.h; flags of openat(2) for an entry of an open folder. */
const O_NOFOLLOW = 0o400000;
const O_CLOEXEC = 0o2000000;
const OF_FOLDER = O_PATH | O_NOFOLLOW | O_CLOEXEC;

/** A file of the list, or the error of its inspection; undefined if it is missing. */
type Entry = InspectedFile | { readonly error: unknown } | undefined;

/**
 * Implements Host.openEach. Files of the same folder are opened through a single descriptor of it, so that
 * the kernel is asked for the real path of the folder, and not for those of all its files.
 */
export function openEach(paths: readonly string[]): OpenedFiles {
  const folders = new Map<string, InspectedFile | undefined>();
  const entries = paths.map((path): Entry => {
    try {
      return openInFolder(path, folders) ?? openInspected(path);
    } catch (error) {
      return { error };
    }
  });
  for (const folder of folders.values()) if (folder !== undefined) closeSync(folder.fd);
  return {
    inspected: (place) => factsOf(entries[place])?.facts,
    opened: (place) => openedFile(factsOf(entries[place])),
    [Symbol.dispose]() {
      for (const entry of entries.splice(0)) if (entry !== undefined && "fd" in entry) closeSync(entry.fd);
    },
  };
}

function factsOf(entry: Entry): InspectedFile | undefined {
  if (entry !== undefined && "error" in entry) throw entry.error;
  return entry;
}

function openedFile(file: InspectedFile | undefined): OpenedFile | undefined {
  if (file === undefined) return undefined;
  const { facts, fd } = file;
  const at = `/proc/self/fd/${fd}`;
  askServer(at, facts);
  return { facts, ...attributesAt({ at, shown: facts.id.path }) };
}

/**
 * Opens an entry of a folder. Returns undefined for all that openInspected() must decide: a symbolic link, a
 * missing file, a path without a folder.
 */
function openInFolder(
  path: string,
  folders: Map<string, InspectedFile | undefined>,
): InspectedFile | undefined {
  const [, above = "", name = ""] = /^(\/.*)\/([^/]+)$/.exec(path) ?? [];
  if (above === "" || name === "." || name === "..") return undefined;
  if (!folders.has(above)) folders.set(above, openFolder(above));
  const folder = folders.get(above);
  if (folder === undefined) return undefined;
  const fd = libc().openat(folder.fd, cString(name), OF_FOLDER, 0);
  if (fd < 0) return undefined;
  const stat = fstatSync(fd, { bigint: true });
  const parent = folder.facts.id.path;
  if (!stat.isSymbolicLink())
    return { fd, facts: fileFacts(`${parent === "/" ? "" : parent}/${name}`, stat) };
  closeSync(fd);
  return undefined;
}

/** The error of a folder is the error of each of its files, and found with them. */
function openFolder(path: string): InspectedFile | undefined {
  try {
    return openInspected(path);
  } catch {
    return undefined;
  }
}
