import type { Host } from "../../host.ts";
import { EINTR, ENOENT, ENOTDIR } from "../calls/errno.ts";
import { basicCalls, cString, hasBasicCalls, hostCallError, readErrno } from "../calls/libc.ts";

/**
 * asm-generic/fcntl.h; O_RDONLY is 0. Without O_NONBLOCK, opening a FIFO in place of a file would wait
 * forever.
 */
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
/**
 * struct linux_dirent64: 8 bytes of inode, 8 of offset, 2 of length, 1 of type, then the name. getdents(2)
 */
const LENGTH_AT = 16;
const NAME_AT = 19;
const DOT = 0x2e;
const CHUNK_BYTES = 16_384;
let made: Uint8Array | undefined;

/**
 * Implements Host.readText with the C library only. `svirt list` reads a few small files and folders, and
 * loading node:fs would double its duration (docs/measurements.md).
 */
export function readText(path: string): string | undefined {
  if (!hasBasicCalls()) return slowFiles().readText(path);
  const fd = openToRead(`read ${path}`, path);
  if (fd === undefined) return undefined;
  try {
    return readAll(path, fd);
  } finally {
    basicCalls().close(fd);
  }
}

/** Implements Host.listFolder with the C library only. getdents(2) */
export function listFolder(path: string): readonly string[] {
  if (!hasBasicCalls()) return slowFiles().listFolder(path);
  const fd = openToRead(`list ${path}`, path);
  if (fd === undefined) return [];
  try {
    const names: string[] = [];
    const bytes = chunk();
    for (;;) {
      const count = Number(basicCalls().getdents64(fd, bytes, bytes.length));
      if (count === 0) return names.length < 2 ? names : names.sort();
      if (count < 0) return noFolder(path, readErrno());
      addNames(names, bytes.subarray(0, count));
    }
  } finally {
    basicCalls().close(fd);
  }
}

/** Returns the shared buffer. A single call uses it at a time, since calls are synchronous. */
function chunk(): Uint8Array {
  made ??= new Uint8Array(CHUNK_BYTES);
  return made;
}

/** Returns the implementations by node:fs. */
function slowFiles(): Pick<Host, "readText" | "listFolder"> {
  const { listFolder, readText }: typeof import("./files.ts") = require("./files.ts");
  return { listFolder, readText };
}

function noFolder(path: string, errno: number): [] {
  if (errno === ENOTDIR) return [];
  throw hostCallError(`list ${path}`, errno);
}

function openToRead(attempt: string, path: string): number | undefined {
  const fd = basicCalls().open(cString(path), O_CLOEXEC | O_NONBLOCK, 0);
  if (fd >= 0) return fd;
  const errno = readErrno();
  if (errno === ENOENT || errno === ENOTDIR) return undefined;
  throw hostCallError(attempt, errno);
}

/** Reads to the end, since a file of /proc reports no size. */
function readAll(path: string, fd: number): string {
  const decoder = newDecoder();
  const bytes = chunk();
  let text = "";
  for (let filled = 0; ; ) {
    const count = Number(basicCalls().read(fd, bytes.subarray(filled), bytes.length - filled));
    if (count === 0) return text + decoder.decode(bytes.subarray(0, filled));
    if (count < 0) refuseError(path, readErrno());
    filled += Math.max(count, 0);
    if (filled < bytes.length) continue;
    text += decoder.decode(bytes, { stream: true });
    filled = 0;
  }
}

function refuseError(path: string, errno: number): void {
  if (errno !== EINTR) throw hostCallError(`read ${path}`, errno);
}

/** Adds all names except `.` and `..`. */
function addNames(names: string[], entries: Uint8Array): void {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
  const decoder = newDecoder();
  for (let at = 0; at < entries.length; at += view.getUint16(at + LENGTH_AT, true)) {
    const end = entries.indexOf(0, at + NAME_AT);
    const length = end - at - NAME_AT;
    const isDots =
      entries[at + NAME_AT] === DOT && (length === 1 || (length === 2 && entries[end - 1] === DOT));
    if (!isDots) names.push(decoder.decode(entries.subarray(at + NAME_AT, end)));
  }
}

function newDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}
