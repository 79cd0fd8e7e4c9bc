import { type ForeignContent, type NewForeign, refuseForeignSize, SECTOR_BYTES } from "./foreign-image.ts";

const FOOTER_BYTES = SECTOR_BYTES;
const HEADER_BYTES = 1024;
/** Bytes of a block, and of an entry for one. qemu.git block/vpc.c */
const [BLOCK_BYTES, ENTRY_BYTES] = [0x200000, 4];
/** Most sectors that cylinders, heads and sectors of a track can count. */
const MOST_BY_GEOMETRY = 65_535 * 16 * 255;
const VERSION = 0x00010000;
const DYNAMIC = 3;

/**
 * Returns a new image of Virtual PC that grows (VHD, dynamic). QEMU reads its size from the footer, since the creator is "qem2", and rounds it to no
 * geometry. Throws "unsupported" for its size. qemu.git block/vpc.c, Microsoft's "Virtual Hard Disk Image Format Specification"
 */
export function formatVpc({ sizeBytes, uuid }: NewForeign): ForeignContent {
  refuseForeignSize("vpc", sizeBytes);
  const entries = Math.ceil(sizeBytes / BLOCK_BYTES);
  const tableAt = FOOTER_BYTES + HEADER_BYTES;
  const tableBytes = Math.ceil((entries * ENTRY_BYTES) / SECTOR_BYTES) * SECTOR_BYTES;
  const footer = formatFooter({ sizeBytes, uuid });
  const bytes = new Uint8Array(tableAt + tableBytes + FOOTER_BYTES);
  bytes.set(footer);
  bytes.set(formatHeader(tableAt, entries), FOOTER_BYTES);
  // No block has a place yet.
  bytes.fill(0xff, tableAt, tableAt + tableBytes);
  bytes.set(footer, tableAt + tableBytes);
  return { bytes, parts: [], sizeBytes: bytes.length };
}

/** struct VHDFooter. The time is the beginning of 2000, from which it counts. */
function formatFooter({ sizeBytes, uuid }: NewForeign): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("conectix"));
  view.setUint32(8, 2);
  view.setUint32(12, VERSION);
  view.setBigUint64(16, BigInt(FOOTER_BYTES));
  bytes.set(new TextEncoder().encode("qem2"), 28);
  view.setUint16(32, 5);
  view.setUint16(34, 3);
  bytes.set(new TextEncoder().encode("Wi2k"), 36);
  view.setBigUint64(40, BigInt(sizeBytes));
  view.setBigUint64(48, BigInt(sizeBytes));
  const { cylinders, heads, track } = geometryOf(sizeBytes / SECTOR_BYTES);
  view.setUint16(56, cylinders);
  view.setUint8(58, heads);
  view.setUint8(59, track);
  view.setUint32(60, DYNAMIC);
  bytes.set(Uint8Array.fromHex(uuid.replaceAll("-", "")), 68);
  view.setUint32(64, checksum(bytes));
  return bytes;
}

/** struct VHDDynDiskHeader */
function formatHeader(tableAt: number, entries: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("cxsparse"));
  view.setBigUint64(8, 0xffffffffffffffffn);
  view.setBigUint64(16, BigInt(tableAt));
  view.setUint32(24, VERSION);
  view.setUint32(28, entries);
  view.setUint32(32, BLOCK_BYTES);
  view.setUint32(36, checksum(bytes));
  return bytes;
}

/** One's complement of the sum of all bytes, of which those of the checksum are zeros. */
function checksum(bytes: Uint8Array): number {
  return ~bytes.reduce((sum, byte) => sum + byte, 0) >>> 0;
}

/** Appendix of the specification, "CHS Calculation". */
function geometryOf(allSectors: number): {
  readonly cylinders: number;
  readonly heads: number;
  readonly track: number;
} {
  const sectors = Math.min(allSectors, MOST_BY_GEOMETRY);
  const by = (heads: number, track: number) => ({
    cylinders: Math.floor(Math.floor(sectors / track) / heads),
    heads,
    track,
  });
  if (sectors > 65_535 * 16 * 63) return by(16, 255);
  const heads = Math.max(Math.floor((Math.floor(sectors / 17) + 1023) / 1024), 4);
  if (heads <= 16 && Math.floor(sectors / 17) < heads * 1024) return by(heads, 17);
  return Math.floor(sectors / 31) < 16 * 1024 ? by(16, 31) : by(16, 63);
}
