import { closeSync, constants, ftruncateSync, writeSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import { EFBIG, EINVAL, EOPNOTSUPP } from "../calls/errno.ts";
import { letOthersRun } from "../calls/let-others-run.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { openSame } from "../files/file-id.ts";
import { orReject } from "../files/files.ts";
import { type Extent, listHoles } from "./extents.ts";
import { syncFile } from "./sync-data.ts";

const ZEROS_BYTES = 1024 * 1024;
/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_FALLOCATE = process.arch === "x64" ? 285n : 47n;
/** linux/falloc.h */
const FALLOC_FL_KEEP_SIZE = 1n;
const FALLOC_FL_PUNCH_HOLE = 2n;
const FALLOC_FL_ZERO_RANGE = 16n;
/** Largest size of Bun's ftruncateSync(). */
const MOST_BYTES = 2 ** 52 - 1;

/** Size of a file, and the length of its beginning for which disk space is reserved. */
interface Size {
  readonly sizeBytes: number;
  readonly reservedBytes: number;
}

/** Implements Host.resizeFile. */
export async function resizeFile(file: FileId, sizeBytes: number, reservedBytes: number): Promise<void> {
  await orReject(`resize ${file.path}`, async () => {
    const fd = openSame(file, constants.O_RDWR);
    try {
      await setSize(fd, file.path, { sizeBytes, reservedBytes });
      await syncFile(fd);
    } finally {
      closeSync(fd);
    }
  });
}

/**
 * Sets the size of an open file, with `path` for errors. The space comes first: without it, the size stays.
 */
export async function setSize(fd: number, path: string, { reservedBytes, sizeBytes }: Size): Promise<void> {
  if (sizeBytes > MOST_BYTES) throw hostCallError(`resize ${path}`, EFBIG);
  const isReserved = reservedBytes === 0 || reserve(fd, path, reservedBytes);
  ftruncateSync(fd, sizeBytes);
  if (!isReserved) await fillHoles(fd, reservedBytes);
}

/** Returns false if the file system cannot reserve space. fallocate(2) */
function reserve(fd: number, path: string, bytes: number): boolean {
  if (libc().syscall(SYS_FALLOCATE, BigInt(fd), FALLOC_FL_KEEP_SIZE, 0n, BigInt(bytes)) === 0n) return true;
  const errno = readErrno();
  if (errno === EOPNOTSUPP) return false;
  throw hostCallError(`allocate ${bytes} bytes for ${path}`, errno);
}

/** Writes zeros where the beginning of a file has no data. */
async function fillHoles(fd: number, bytes: number): Promise<void> {
  for (const extent of [...listHoles(fd, bytes)]) await writeZeros(fd, extent);
}

/**
 * Makes a part of an open file a hole, or, on a file system without holes, zeros. The size stays, but for
 * zeros at the end.
 */
export async function clearPart(fd: number, path: string, part: Extent): Promise<void> {
  if (!punchPart(fd, path, part)) await writeZeros(fd, part);
}

/** Makes a part of an open file a hole. Returns false on a file system without them. */
export function punchPart(fd: number, path: string, part: Extent): boolean {
  return changePart(fd, path, { ...part, how: FALLOC_FL_PUNCH_HOLE });
}

/** Makes a part of an open file zeros, with its disk space. */
export async function zeroPart(fd: number, path: string, part: Extent): Promise<void> {
  if (!changePart(fd, path, { ...part, how: FALLOC_FL_ZERO_RANGE })) await writeZeros(fd, part);
}

/** Returns false if the file system lacks this. fallocate(2) */
function changePart(fd: number, path: string, part: Extent & { readonly how: bigint }): boolean {
  const { end, how, start } = part;
  if (start === end) return true;
  const flags = how | FALLOC_FL_KEEP_SIZE;
  if (libc().syscall(SYS_FALLOCATE, BigInt(fd), flags, BigInt(start), BigInt(end - start)) === 0n)
    return true;
  const errno = readErrno();
  // A block device refuses a part of a sector with EINVAL.
  if (errno === EOPNOTSUPP || errno === EINVAL) return false;
  throw hostCallError(`write zeros to ${path}`, errno);
}

/** Writes zeros to a part of an open file or device. */
export async function writeZeros(fd: number, { end, start }: Extent): Promise<void> {
  const zeros = new Uint8Array(Math.max(0, Math.min(ZEROS_BYTES, end - start)));
  for (let at = start; at < end; ) {
    at += writeSync(fd, zeros, 0, Math.min(zeros.length, end - at), at);
    await letOthersRun();
  }
}
