import { fstatSync } from "node:fs";
import { EINVAL, ENXIO } from "../calls/errno.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_LSEEK = process.arch === "x64" ? 8n : 62n;
/** linux/fs.h */
const [SEEK_SET, SEEK_END, SEEK_DATA, SEEK_HOLE] = [0n, 2n, 3n, 4n];

/** Part of a file, in bytes. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/**
 * Yields the parts of a file's first bytes, from a place in it, that have data, in order. A file system
 * without holes, and a block device, have data everywhere.
 */
export function* listData(fd: number, sizeBytes: number, from = 0): Generator<Extent> {
  for (let at = from; at < sizeBytes; ) {
    const start = seek(fd, at, SEEK_DATA);
    if (start === "none") return yield { start: at, end: sizeBytes };
    if (start === undefined || start >= sizeBytes) return;
    const end = seek(fd, start, SEEK_HOLE);
    at = typeof end === "number" ? Math.min(end, sizeBytes) : sizeBytes;
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

/** Returns the size of an open file or block device, in bytes. */
export function openedSize(fd: number): number {
  const stat = fstatSync(fd);
  if (!stat.isBlockDevice()) return stat.size;
  const size = seek(fd, 0, SEEK_END);
  setPosition(fd, 0);
  return typeof size === "number" ? size : 0;
}

/** Returns undefined behind the last data, and "none" for a file that knows no holes. lseek(2) */
function seek(fd: number, at: number, whence: bigint): number | "none" | undefined {
  const found = libc().syscall(SYS_LSEEK, BigInt(fd), BigInt(at), whence, 0n);
  if (found >= 0n) return Number(found);
  const errno = readErrno();
  if (errno === ENXIO) return undefined;
  if (errno === EINVAL && (whence === SEEK_DATA || whence === SEEK_HOLE)) return "none";
  throw hostCallError("read the holes of a file", errno);
}
