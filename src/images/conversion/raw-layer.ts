import type { Layer, SourceFile } from "./guest-data.ts";

/** QEMU's unit of the size of a disk. BDRV_SECTOR_SIZE of qemu.git */
const SECTOR_BYTES = 512;

/** Reads a raw image. Its holes are zeros. A part of a sector at its end is a whole sector for the guest. */
export function readRawLayer(file: SourceFile): Layer {
  let last = { start: 0, end: 0, isHole: true };
  const extentAt = (offset: number): typeof last => {
    if (offset >= last.start && offset < last.end) return last;
    const { end, start } = file.nextData(offset) ?? { start: Number.MAX_SAFE_INTEGER, end: 0 };
    last = start > offset ? { start: offset, end: start, isHole: true } : { start, end, isHole: false };
    return last;
  };
  return {
    sizeBytes: Math.ceil(file.sizeBytes / SECTOR_BYTES) * SECTOR_BYTES,
    pieceAt(offset, mostBytes) {
      const { end, isHole } = extentAt(offset);
      const bytes = Math.min(mostBytes, end - offset);
      return isHole
        ? { is: "zero", bytes }
        : { is: "data", bytes, readInto: (target) => target.set(file.read(offset, bytes)) };
    },
  };
}
