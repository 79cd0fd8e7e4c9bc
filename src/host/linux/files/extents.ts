import { ENXIO } from "../calls/errno.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_LSEEK = process.arch === "x64" ? 8n : 62n;
/** linux/fs.h */
const [SEEK_SET, SEEK_DATA, SEEK_HOLE] = [0n, 3n, 4n];

/** Part of a file, in bytes. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Yields the parts of a file's first bytes, from a place in it, that have data, in order. A file system without holes has data everywhere. */
export function* listData(fd: number, sizeBytes: number, from = 0): Generator<Extent> {
  for (let at = from; at < sizeBytes; ) {
    const start = seek(fd, at, SEEK_DATA);
    if (start === undefined || start >= sizeBytes) return;
    at = Math.min(seek(fd, start, SEEK_HOLE) ?? sizeBytes, sizeBytes);
    yield { start, end: at };
  }
}

/** Yields the other parts of a file's first bytes, in order. */
export function* listHoles(fd: number, sizeBytes: number): Generator<Extent> {
  let at = 0;
  for (const { end, start } of listData(fd, sizeBytes)) {
    if (start > at) yield { start: at, end: start };
    at = end;
  }
  if (at < sizeBytes) yield { start: at, end: sizeBytes };
}

/** Sets the position of the next read or write. lseek(2) */
export function setPosition(fd: number, at: number): void {
  seek(fd, at, SEEK_SET);
}

/** Returns undefined behind the last data. */
function seek(fd: number, at: number, whence: bigint): number | undefined {
  const found = libc().syscall(SYS_LSEEK, BigInt(fd), BigInt(at), whence, 0n);
  if (found >= 0n) return Number(found);
  const errno = readErrno();
  if (errno === ENXIO) return undefined;
  throw hostCallError("read the holes of a file", errno);
}
