import { decompress } from "../../src/host/linux/content/decompress.ts";
import type { ImageConversion } from "../../src/host/new-file.ts";
import type { SourceFile } from "../../src/images/conversion/guest-data.ts";
import type { FileTree } from "./file-tree.ts";

/** Returns the bytes of a new file of at least a size that a conversion makes. */
export function convertedBytes(
  files: FileTree,
  { convert, from }: ImageConversion,
  sizeBytes: number,
): Uint8Array {
  let made = new Uint8Array(sizeBytes);
  for (const { bytes, offset } of convert(from.map((id) => sourceOf(files.getSame(id).bytes)))) {
    const grown = new Uint8Array(Math.max(made.length, offset + bytes.length));
    grown.set(made);
    grown.set(bytes, offset);
    made = grown;
  }
  return made;
}

/** Returns bytes as a file without holes. */
export function sourceOf(bytes: Uint8Array): SourceFile {
  return {
    sizeBytes: bytes.length,
    read(offset, length) {
      const part = new Uint8Array(length);
      part.set(bytes.subarray(offset, offset + length));
      return part;
    },
    nextData: (from) => (from < bytes.length ? { start: from, end: bytes.length } : undefined),
    decompress,
  };
}
