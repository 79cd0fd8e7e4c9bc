import type { FileAttributes } from "../../host/file-attributes.ts";
import type { Host } from "../../host/host.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { type GivenFormat, isGivenFormat } from "../../plan/facts/given-format.ts";
import type { MarkedFile } from "./machine-marks.ts";

// Rule: Each file that a guest may write is marked with its format.

/**
 * Attribute with the format in which a guest got a file for writing, or in which svirt made it. It stays
 * after the guest. A guest's QEMU cannot change it: `trusted.*` needs CAP_SYS_ADMIN. xattr(7)
 */
export const FORMAT_MARK = "trusted.svirt.format";

const FOLDER_MODE = 0o700;
const RECORD_MODE = 0o600;
/** Format and path. */
const RECORD = /^(\S*) (.*)\n$/s;

/**
 * Returns the folder with the formats of files that keep no such attribute: on NFS or FAT, or those of a
 * user's guests.
 */
export function formatFolder(state: string): string {
  return `${state}/formats`;
}

/**
 * Records the format of a file: on the file, or else in svirt's folder. It is on disk on return if the folder
 * has it.
 */
export function setFormatMark(
  host: Host,
  { file, id }: MarkedFile,
  { folder, format }: { readonly format: GivenFormat; readonly folder: string },
): void {
  if (file.getXattr(FORMAT_MARK) === format) return;
  if (host.getUid() === 0 && file.setXattr(FORMAT_MARK, format)) return;
  host.makeFolder({ path: folder, mode: FOLDER_MODE });
  host.writeText(`${folder}/${recordName(id)}`, `${format} ${id.path}\n`, RECORD_MODE);
}

/** Forgets the format of a removed file in svirt's folder. */
export function removeFormatRecord(host: Host, folder: string, id: FileId): void {
  host.removeFile(`${folder}/${recordName(id)}`);
}

/**
 * Returns the format that svirt has recorded for a file; undefined without one. `names` are those of svirt's
 * folder.
 */
export function recordedFormat(
  host: Host,
  { file, id }: { readonly file: FileAttributes; readonly id: FileId },
  { folder, names }: { readonly folder: string; readonly names: readonly string[] },
): GivenFormat | undefined {
  const word = file.getXattr(FORMAT_MARK) ?? recordIn(host, id, { folder, names });
  if (word === undefined) return undefined;
  // An unknown word is no reason to believe the content.
  return isGivenFormat(word) ? word : "raw";
}

/**
 * Returns the word of a record. The number of a file system may change at a mount, and the path by a rename.
 */
function recordIn(
  host: Host,
  id: FileId,
  { folder, names }: { readonly folder: string; readonly names: readonly string[] },
): string | undefined {
  const exact = recordName(id);
  for (const name of names.filter((one) => one.startsWith(`${id.inode}-`))) {
    const [, word = "", path] = RECORD.exec(host.readText(`${folder}/${name}`) ?? "") ?? [];
    if (name === exact || path === id.path) return word;
  }
  return undefined;
}

function recordName({ device, inode }: FileId): string {
  return `${inode}-${device}`;
}
