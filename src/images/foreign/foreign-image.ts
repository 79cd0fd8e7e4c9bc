import { SvirtError } from "../../errors.ts";
import type { ImageWrite } from "../image-writes.ts";

/** Formats of other hypervisors, whose images svirt creates for them and gives to no guest. */
export type ForeignFormat = "vmdk" | "vpc";

/** Image to create. */
export interface NewForeign {
  /** Size that a guest sees, in whole sectors. */
  readonly sizeBytes: number;
  /** UUID of the image. */
  readonly uuid: string;
}

/** First bytes of an image, those at other places, and the length of its file; the rest is zeros. */
export interface ForeignContent {
  readonly bytes: Uint8Array;
  readonly parts: readonly ImageWrite[];
  readonly sizeBytes: number;
}

/** Unit of places in both formats. */
export const SECTOR_BYTES = 512;
/** KDMV. VMDK4_MAGIC of qemu.git block/vmdk.c */
export const VMDK_MAGIC = 0x4b444d56;
/** VHD_MAX_SECTORS of qemu.git block/vpc.c: 2040 GiB. Sparse images of VMDK end at 2 TiB. */
const MOST_SECTORS = 0xff000000;

/** Throws "unsupported" for a size that the format cannot hold. */
export function refuseForeignSize(format: ForeignFormat, sizeBytes: number): void {
  if (sizeBytes <= MOST_SECTORS * SECTOR_BYTES) return;
  throw new SvirtError(`Cannot create a ${format} image: ${sizeBytes} bytes are too many`, {
    kind: "unsupported",
    remedy: "Request at most 2040 GiB, or another format.",
  });
}

/** Returns the size that a guest sees, of the first sector of an image's file. virStorageFileGetMetadataInternal() of libvirt */
export function foreignCapacity(format: ForeignFormat, first: Uint8Array): number | undefined {
  const view = new DataView(first.buffer, first.byteOffset, first.length);
  // VMDK has older headers too, and files that only describe others.
  if (first.length < SECTOR_BYTES || (format === "vmdk" && view.getUint32(0) !== VMDK_MAGIC))
    return undefined;
  const size = format === "vpc" ? view.getBigUint64(40) : view.getBigUint64(12, true) * BigInt(SECTOR_BYTES);
  return size > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(size);
}
