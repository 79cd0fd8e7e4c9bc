import { closeSync, constants, fstatSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { FileCopy, FilePart } from "../../new-file.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { openSame } from "../files/file-id.ts";
import { type Extent, listData, openedSize, setPosition } from "./extents.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const [SYS_IOCTL, SYS_SENDFILE] = process.arch === "x64" ? [16n, 40n] : [29n, 71n];
/** linux/fs.h */
const FICLONE = 0x40049409n;
/** Most bytes of one sendfile(2). */
const MOST_BYTES = 0x7ffff000;
/** Bytes between two reports of the progress. */
const STEP_BYTES = 16 * 1024 * 1024;

/**
 * Copies a file's data into an open file of at least its size, in the kernel. Its holes stay holes. Throws "in-use" if the file
 * changes meanwhile, "host-call".
 */
export function copyInto(fd: number, path: string, { from, isShared, part }: FileCopy): void {
  withUnchanged(from, (source) => {
    if (part !== undefined) {
      copyPart(source, fd, { path, part, sizeBytes: openedSize(source) });
    } else if (libc().syscall(SYS_IOCTL, BigInt(fd), FICLONE, BigInt(source), 0n) !== 0n) {
      if (isShared) throw hostCallError(`share the data of ${from.path} with ${path}`, readErrno());
      copyData(source, fd, { path, sizeBytes: fstatSync(source).size });
    }
  });
}

/** Part of a device that gets the data of a file or of another device. */
interface CopyTarget {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Called with the place of the next data, before it is written. */
  onData(place: Extent): void;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Copies the data of a file or a device to a part of a device, in order, without its holes. Throws as copyInto(), also for a file that is larger. */
export function copyOnto(
  fd: number,
  from: FileId,
  { end, onData, onProgress, path, start }: CopyTarget,
): void {
  withUnchanged(from, (source) => {
    const sizeBytes = openedSize(source);
    if (sizeBytes > end - start) throw changed(from.path);
    const onSent = (at: number): void => onProgress?.(at, sizeBytes);
    for (const extent of listData(source, sizeBytes)) {
      onData({ start: start + extent.start, end: start + extent.end });
      setPosition(fd, start + extent.start);
      const reached = send(source, fd, { path, mostBytes: STEP_BYTES, onSent, ...extent });
      if (reached < extent.end) throw changed(from.path);
    }
  });
}

function withUnchanged(from: FileId, copy: (source: number) => void): void {
  const source = openSame(from, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const before = fstatSync(source, { bigint: true });
    copy(source);
    const after = fstatSync(source, { bigint: true });
    if (after.ctimeNs !== before.ctimeNs || after.size !== before.size) throw changed(from.path);
  } finally {
    closeSync(source);
  }
}

function copyData(
  source: number,
  fd: number,
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
): void {
  for (const extent of listData(source, sizeBytes)) {
    setPosition(fd, extent.start);
    send(source, fd, { path, mostBytes: MOST_BYTES, ...extent });
  }
}

/** Copies a part to the beginning of a file that has its size. */
function copyPart(
  source: number,
  fd: number,
  copy: { readonly path: string; readonly part: FilePart; readonly sizeBytes: number },
): void {
  const { part, path, sizeBytes } = copy;
  const { offset, mostBytes = sizeBytes } = part;
  const end = Math.min(sizeBytes, offset + mostBytes);
  const onSent = (at: number): void => part.onProgress?.(at - offset, end - offset);
  for (const extent of listData(source, end, offset)) {
    setPosition(fd, extent.start - offset);
    send(source, fd, { path, mostBytes: STEP_BYTES, onSent, ...extent });
  }
}

/** Data to send, and a call after each step with the place that is reached. */
interface Sending {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Most bytes of a step. */
  readonly mostBytes: number;
  onSent?(at: number): void;
}

/** Returns the place that is reached: the end, unless the file has become shorter. */
function send(source: number, fd: number, sending: Sending): number {
  const { end, mostBytes, path, start } = sending;
  setPosition(source, start);
  let at = start;
  while (at < end) {
    const count = libc().syscall(
      SYS_SENDFILE,
      BigInt(fd),
      BigInt(source),
      0n,
      BigInt(Math.min(end - at, mostBytes)),
    );
    if (count < 0n) throw hostCallError(`copy to ${path}`, readErrno());
    if (count === 0n) break;
    at += Number(count);
    sending.onSent?.(at);
  }
  return at;
}

/** Returns the error for a source that changed while it was copied. */
export function changed(path: string): SvirtError {
  return new SvirtError(`Cannot copy ${path}: it changed meanwhile`, {
    kind: "in-use",
    remedy: "Stop the program that writes or labels it, then repeat the command.",
  });
}
