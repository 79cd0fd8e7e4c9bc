import { viewOf } from "./table-words.ts";

/** Magic, and sizes of fields. RFC 8878, 3.1.1 */
const MAGIC = 0xfd2fb528;
const [MAGIC_BYTES, BLOCK_HEADER_BYTES, CHECKSUM_BYTES] = [4, 3, 4];
/** Block of a single repeated byte. RFC 8878, 3.1.1.2.2 */
const RLE = 1;

/**
 * Returns the frame of zstd at the beginning of some bytes; undefined without a whole frame. A decompressor
 * may refuse the bytes after it, as in the last sector of a compressed cluster. RFC 8878, 3.1.1
 */
export function zstdFrame(bytes: Uint8Array): Uint8Array | undefined {
  const view = viewOf(bytes);
  if (bytes.length <= MAGIC_BYTES || view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = view.getUint8(MAGIC_BYTES);
  for (let at = MAGIC_BYTES + headerBytes(descriptor); at + BLOCK_HEADER_BYTES <= bytes.length; ) {
    const header = view.getUint16(at, true) + view.getUint8(at + 2) * 0x10000;
    const isLast = header % 2 === 1;
    at += BLOCK_HEADER_BYTES + (((header >> 1) & 3) === RLE ? 1 : header >> 3);
    if (!isLast) continue;
    const end = at + ((descriptor & 4) === 0 ? 0 : CHECKSUM_BYTES);
    return end <= bytes.length ? bytes.subarray(0, end) : undefined;
  }
  return undefined;
}

/** Returns the length of the header, with its descriptor. RFC 8878, 3.1.1.1 */
function headerBytes(descriptor: number): number {
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const size = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return 1 + (isSingle ? 0 : 1) + dictionary + size;
}
