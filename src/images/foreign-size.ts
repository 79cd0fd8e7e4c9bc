/** Formats of other hypervisors, whose images svirt shows, and neither creates nor gives to a guest. */
export type ForeignFormat = "vmdk" | "vpc";

/** Unit of places in both formats. */
const SECTOR_BYTES = 512;
/** KDMV. VMDK4_MAGIC of qemu.git block/vmdk.c */
const VMDK_MAGIC = 0x4b444d56;

/**
 * Returns the size that a guest sees, of the first sector of an image's file.
 * virStorageFileGetMetadataInternal() of libvirt
 */
export function foreignCapacity(format: ForeignFormat, first: Uint8Array): number | undefined {
  const view = new DataView(first.buffer, first.byteOffset, first.length);
  // VMDK has older headers too, and files that only describe others.
  if (first.length < SECTOR_BYTES || (format === "vmdk" && view.getUint32(0) !== VMDK_MAGIC))
    return undefined;
  const size = format === "vpc" ? view.getBigUint64(40) : view.getBigUint64(12, true) * BigInt(SECTOR_BYTES);
  return size > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(size);
}
