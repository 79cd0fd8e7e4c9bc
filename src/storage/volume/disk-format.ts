/** Length of a disk's beginning with its format. */
export const DISK_FORMAT_BYTES = 1024;

/**
 * Magic of each partition table in order, since the last is also part of others. disk_types of libvirt's
 * storage_util.c
 */
const MAGIC: readonly (readonly [format: string, at: number, bytes: readonly number[]])[] = [
  ["lvm2", 0x218, [0x4c, 0x56, 0x4d, 0x32, 0x20, 0x30, 0x30, 0x31]],
  ["gpt", 0x200, [0x45, 0x46, 0x49, 0x20, 0x50, 0x41, 0x52, 0x54]],
  ["dvh", 0, [0x0b, 0xe5, 0xa9, 0x41]],
  ["mac", 0, [0x45, 0x52]],
  ["bsd", 0x40, [0x57, 0x45, 0x56, 0x82]],
  ["sun", 0x1fc, [0xda, 0xbe]],
  ["pc98", 0, [0xcb, 0x00, 0x00, 0x00, 0x49, 0x50, 0x4c, 0x31]],
  ["dos", 0x1fe, [0x55, 0xaa]],
];

/**
 * Returns the format of a disk by its first bytes, which a guest may have written: its partition table, or
 * `unknown`. virStorageBackendDetectBlockVolFormatFD() of libvirt
 */
export function probeDiskFormat(first: Uint8Array): string {
  const found = MAGIC.find(([, at, bytes]) => bytes.every((byte, index) => first[at + index] === byte));
  return found?.[0] ?? "unknown";
}
