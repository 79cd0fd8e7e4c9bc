import type { FileId, FormatMark } from "../plan/facts/file.ts";
import { fileKey, PENDING_FILE } from "../plan/facts/file-key.ts";
import type { GivenFormat } from "../plan/facts/given-format.ts";
import type { ResolvedFile } from "../resolve/resolved-file.ts";
import { formatFolder, recordedFormat } from "../run/labels/format-mark.ts";
import type { Instance } from "../state/instance.ts";

// Rule: Each file that a guest may write is marked with its format.

/** Returns the key of a guest's file. A file that the start creates is known only by its path. */
export function keyOf(id: FileId): string {
  return id.inode === PENDING_FILE.inode ? id.path : fileKey(id);
}

/**
 * Returns the formats in which a guest writes its files, by their keys. A file that it gets twice is raw if
 * it gets the file raw once. A device is always raw for other commands, and needs no mark.
 */
export function givenFormats(files: readonly ResolvedFile[]): ReadonlyMap<string, GivenFormat> {
  const formats = new Map<string, GivenFormat>();
  for (const { facts, format = "raw", role } of files) {
    if (facts.type !== "file" || (role !== "private" && role !== "shared")) continue;
    // A node that the kernel makes once the device has its driver.
    if (facts.id.path.startsWith("/dev/vfio/")) continue;
    const key = keyOf(facts.id);
    formats.set(key, formats.get(key) === "raw" ? "raw" : format);
  }
  return formats;
}

/** Returns the mark that a file needs before a guest writes it in a format; undefined if the file has it. */
export function decideMark(
  { host, paths }: Instance,
  id: FileId,
  format: GivenFormat | undefined,
): FormatMark | undefined {
  if (format === undefined) return undefined;
  const folder = formatFolder(paths.state);
  const now =
    id.inode === PENDING_FILE.inode
      ? undefined
      : host.withAttributes(id, (file) =>
          recordedFormat(host, { file, id }, { folder, names: host.listFolder(folder) }),
        );
  return now === format ? undefined : { format, folder };
}
