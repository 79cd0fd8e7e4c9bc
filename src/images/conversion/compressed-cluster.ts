import type { Compression } from "../qcow2-features.ts";

const SECTOR_BYTES = 512;
/** Most bytes made by deflate from a byte: 258 of two bits. RFC 1951, 3.2.5 */
const MOST_DEFLATED = 1032;
/** Least bytes of a frame of zstd with a block: magic, descriptor, size and the block's header. RFC 8878 */
const LEAST_FRAME = 9;

/** Part of a file that has a compressed cluster; it may end in the middle of its last sector. */
export interface CompressedPart {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Reads the entry of a compressed cluster. qemu.git docs/interop/qcow2.rst, "Compressed Clusters Descriptor"
 */
export function compressedPart(word: bigint, clusterBytes: number): CompressedPart {
  const placeBits = BigInt(62 - (Math.log2(clusterBytes) - 8));
  const at = Number(word & ((1n << placeBits) - 1n));
  const sectors = Number((word & ((1n << 62n) - 1n)) >> placeBits);
  return { at, bytes: (sectors + 1) * SECTOR_BYTES - (at % SECTOR_BYTES) };
}

/** Returns the least bytes that a part of a cluster takes in a file. */
export function leastCompressed(compression: Compression, bytes: number): number {
  return compression === "zstd" ? LEAST_FRAME : Math.floor(bytes / MOST_DEFLATED);
}
