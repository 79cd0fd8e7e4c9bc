import { closeSync, constants, fstatSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { FileCopy, FilePart } from "../../new-file.ts";
import { letOthersRun } from "../calls/let-others-run.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { openSame } from "../files/file-id.ts";
import { type Extent, listData, openedSize, setPosition } from "./extents.ts";
import { beginWriting } from "./sync-data.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const [SYS_IOCTL, SYS_SENDFILE] = process.arch === "x64" ? [16n, 40n] : [29n, 71n];
/** linux/fs.h */
const FICLONE = 0x40049409n;
/** Bytes that are copied before the disk begins to write them, and between two reports of the progress. */
const STEP_BYTES = 4 * 1024 * 1024;

/**
 * Copies a file's data into an open file of at least its size, in the kernel. Its holes stay holes. Throws
 * "in-use" if the file changes meanwhile, "host-call".
 */
export async function copyInto(fd: number, path: string, { from, isShared, part }: FileCopy): Promise<void> {
  await withUnchanged(from, async (source) => {
    if (part !== undefined) {
      await copyPart(source, fd, { path, part, sizeBytes: openedSize(source) });
    } else if (libc().syscall(SYS_IOCTL, BigInt(fd), FICLONE, BigInt(source), 0n) !== 0n) {
      if (isShared) throw hostCallError(`share the data of ${from.path} with ${path}`, readErrno());
      await copyData(source, fd, { path, sizeBytes: fstatSync(source).size });
    }
  });
}

/** Part of a device that gets the data of a file or of another device. */
interface CopyTarget {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Called with the place of the next data, before it is written. */
  onData(place: Extent): Promise<void>;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Copies the data of a file or a device to a part of a device, in order, without its holes. Throws as
 * copyInto(), also for a file that is larger.
 */
export async function copyOnto(
  fd: number,
  from: FileId,
  { end, onData, onProgress, path, start }: CopyTarget,
): Promise<void> {
  await withUnchanged(from, async (source) => {
    const sizeBytes = openedSize(source);
    if (sizeBytes > end - start) throw changed(from.path);
    const onSent = (at: number): void => onProgress?.(at, sizeBytes);
    for (const extent of listData(source, sizeBytes)) {
      await onData({ start: start + extent.start, end: start + extent.end });
      const reached = await send(source, fd, { path, onSent, ...extent, to: start + extent.start });
      if (reached < extent.end) throw changed(from.path);
    }
  });
}

async function withUnchanged(from: FileId, copy: (source: number) => Promise<void>): Promise<void> {
  const source = openSame(from, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const before = fstatSync(source, { bigint: true });
    await copy(source);
    const after = fstatSync(source, { bigint: true });
    if (after.ctimeNs !== before.ctimeNs || after.size !== before.size) throw changed(from.path);
  } finally {
    closeSync(source);
  }
}

async function copyData(
  source: number,
  fd: number,
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
): Promise<void> {
  for (const extent of listData(source, sizeBytes))
    await send(source, fd, { path, ...extent, to: extent.start });
}

/** Copies a part to the beginning of a file of the same size. */
async function copyPart(
  source: number,
  fd: number,
  copy: { readonly path: string; readonly part: FilePart; readonly sizeBytes: number },
): Promise<void> {
  const { part, path, sizeBytes } = copy;
  const { offset, mostBytes = sizeBytes } = part;
  const end = Math.min(sizeBytes, offset + mostBytes);
  const onSent = (at: number): void => part.onProgress?.(at - offset, end - offset);
  for (const extent of listData(source, end, offset))
    await send(source, fd, { path, onSent, ...extent, to: extent.start - offset });
}

/** Data to send, and a call after each step with the place that is reached. */
interface Sending {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Place in the target. */
  readonly to: number;
  onSent?(at: number): void;
}

/**
 * Copies a part of an open file to a place of another, in the kernel. Returns the reached place: the end,
 * unless the file has become shorter.
 */
export async function send(
  source: number,
  fd: number,
  { end, onSent, path, start, to }: Sending,
): Promise<number> {
  setPosition(source, start);
  setPosition(fd, to);
  let at = start;
  while (at < end) {
    const most = BigInt(Math.min(end - at, STEP_BYTES));
    const count = Number(libc().syscall(SYS_SENDFILE, BigInt(fd), BigInt(source), 0n, most));
    if (count < 0) throw hostCallError(`copy to ${path}`, readErrno());
    if (count === 0) break;
    beginWriting(fd, to + at - start, count);
    at += count;
    onSent?.(at);
    await letOthersRun();
  }
  return at;
}

/** Returns the error for a source changed during its copy. */
export function changed(path: string): SvirtError {
  return new SvirtError(`Cannot copy ${path}: it changed meanwhile`, {
    kind: "in-use",
    remedy: "Stop the program that writes or labels it, then repeat the command.",
  });
}
