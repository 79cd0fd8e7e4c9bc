/** A file system's mark, and where it is. */
interface Mark {
  readonly type: string;
  readonly offset: number;
  readonly bytes: readonly number[];
}

const text = (words: string): readonly number[] => [...new TextEncoder().encode(words)];

/**
 * Marks of file systems, from the kernel's headers: ext4.h, xfs_format.h, msdos_fs.h; ECMA-119. The kernel's
 * ext4 mounts ext2 and ext3, too.
 */
const MARKS: readonly Mark[] = [
  { type: "ext4", offset: 0x438, bytes: [0x53, 0xef] },
  { type: "xfs", offset: 0, bytes: text("XFSB") },
  { type: "vfat", offset: 0x52, bytes: text("FAT32   ") },
  { type: "vfat", offset: 0x36, bytes: text("FAT16   ") },
  { type: "vfat", offset: 0x36, bytes: text("FAT12   ") },
  { type: "iso9660", offset: 0x8001, bytes: text("CD001") },
];

/** Length of a device's beginning with all marks. */
export const MARKED_BYTES = 0x9000;

/** Returns the kernel's type of the file system with these first bytes; undefined if unknown. */
export function fileSystemType(bytes: Uint8Array): string | undefined {
  return MARKS.find((mark) => mark.bytes.every((byte, at) => bytes[mark.offset + at] === byte))?.type;
}
