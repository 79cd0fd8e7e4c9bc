import { closeSync, constants, openSync, readSync } from "node:fs";
import { SvirtError } from "../../errors.ts";
import { orThrow, unlessMissing } from "./files.ts";

const STDIN = 0;
const CHUNK_BYTES = 65_536;

/**
 * Host.readInput: one byte more than may be is enough to see that there is too much. /dev/stdin is not opened anew, as
 * the kernel would have it: a socket cannot be, and a policy may allow to read what a caller has opened and no more.
 */
export function readInput(path: string, mostBytes: number): Uint8Array {
  if (path === "-" || path === "/dev/stdin") {
    return orThrow("read standard input", () => readUpTo(STDIN, mostBytes + 1));
  }
  const bytes = unlessMissing(`read ${path}`, () => {
    const fd = openSync(path, constants.O_RDONLY);
    try {
      return readUpTo(fd, mostBytes + 1);
    } finally {
      closeSync(fd);
    }
  });
  if (bytes !== undefined) return bytes;
  throw new SvirtError(`Cannot read ${path}: No such file or directory`, {
    kind: "not-found",
    remedy: "Correct the path, or write - and give it on standard input.",
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
