import type { ImageBytes } from "../image-writes.ts";

/** Part of a table in memory. */
const WINDOW_BYTES = 65_536;

/** Numbers of 64 bits in a file, at multiples of 8. */
export interface Words {
  high(at: number): number;
  low(at: number): number;
  word(at: number): bigint;
}

/** Reads numbers from the tables of a file. Two parts are in memory, since two tables are read in turn. */
export function readWords(file: ImageBytes): Words {
  let newer: Window = { start: -1, view: new DataView(new ArrayBuffer(0)) };
  let older = newer;
  const windowAt = (at: number): Window => {
    const start = at - (at % WINDOW_BYTES);
    if (newer.start === start) return newer;
    const found = older.start === start ? older : { start, view: viewOf(file.read(start, WINDOW_BYTES)) };
    [older, newer] = [newer, found];
    return newer;
  };
  return {
    high: (at) => windowAt(at).view.getUint32(at % WINDOW_BYTES),
    low: (at) => windowAt(at).view.getUint32((at % WINDOW_BYTES) + 4),
    word: (at) => windowAt(at).view.getBigUint64(at % WINDOW_BYTES),
  };
}

interface Window {
  readonly start: number;
  readonly view: DataView;
}

/** Returns a view of exactly these bytes. */
export function viewOf({ buffer, byteLength, byteOffset }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
