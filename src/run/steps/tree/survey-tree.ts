import { SvirtError } from "../../../errors.ts";
import type { TreeEntry } from "../../../host/file-attributes.ts";
import type { Host } from "../../../host/host.ts";
import type { FileId } from "../../../plan/facts/file.ts";

// Rule: A shared folder has no mount below it, and no file with a hard link outside it.

/**
 * Maximum number of entries. A start takes some seconds to visit that many, and no other guest can start
 * until it has.
 */
const MOST_ENTRIES = 100_000;

/**
 * Visits all entries below a folder without changing them. Refuses a folder with more than its content:
 * another file system below, or a file with another hard link elsewhere. Throws "denied", "unsupported", and
 * the errors of `look`.
 */
export function surveyTree(host: Host, folder: FileId, look?: (entry: TreeEntry) => void): void {
  const names = new Map<string, { readonly entry: TreeEntry; found: number }>();
  let count = 0;
  host.visitTree(folder, undefined, (entry) => {
    count += 1;
    if (count > MOST_ENTRIES) throw tooMany(folder);
    if (entry.id.device !== folder.device) throw mounted(entry);
    if (entry.type !== "folder" && entry.links > 1) {
      const before = names.get(entry.id.inode) ?? { entry, found: 0 };
      names.set(entry.id.inode, { entry, found: before.found + 1 });
    }
    look?.(entry);
    return undefined;
  });
  for (const { entry, found } of names.values()) if (found < entry.links) throw linked(entry);
}

function tooMany({ path }: FileId): SvirtError {
  return new SvirtError(`Cannot share ${path} with a guest: it contains more than ${MOST_ENTRIES} files`, {
    kind: "unsupported",
    remedy: "Share a folder below it.",
  });
}

function mounted({ id }: TreeEntry): SvirtError {
  return new SvirtError(`Cannot share ${id.path} with a guest: another file system is mounted there`, {
    kind: "unsupported",
    remedy: "Unmount it, or share it by a separate <filesystem>.",
  });
}

function linked({ id, links }: TreeEntry): SvirtError {
  return new SvirtError(
    `Cannot share ${id.path} with a guest: the file has ${links} names, and not all of them are in the folder`,
    { kind: "denied", remedy: "Replace it with a copy of the file." },
  );
}
