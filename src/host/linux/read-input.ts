import { closeSync, constants, openSync, readSync } from "node:fs";
import { orThrow } from "./files.ts";

const STDIN = 0;
const CHUNK_BYTES = 65_536;

/** Host.readInput: one byte more than may be is enough to see that there is too much. */
export function readInput(path: string, mostBytes: number): Uint8Array {
  return orThrow(`read ${path === "-" ? "standard input" : path}`, () => {
    const fd = path === "-" ? STDIN : openSync(path, constants.O_RDONLY);
    try {
      return readUpTo(fd, mostBytes + 1);
    } finally {
      if (fd !== STDIN) closeSync(fd);
    }
  });
}

function readUpTo(fd: number, mostBytes: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let total = 0; total < mostBytes; ) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, mostBytes - total));
    const count = readSync(fd, chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    total += count;
  }
  return Buffer.concat(chunks);
}
