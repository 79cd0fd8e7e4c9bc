import type { Host } from "../../host.ts";
import { EINTR, ENOENT, ENOTDIR } from "./errno.ts";
import { basicCalls, cString, hasBasicCalls, hostCallError, readErrno } from "./libc.ts";

/** asm-generic/fcntl.h; O_RDONLY is 0 */
const O_CLOEXEC = 0o2000000;
/** struct linux_dirent64: 8 bytes of inode, 8 of offset, 2 of length, 1 of type, then the name. getdents(2) */
const LENGTH_AT = 16;
const NAME_AT = 19;
/** For one call at a time: nothing here waits. */
const chunk = new Uint8Array(65_536);

/**
 * Host.readText, by the C library alone: `svirt list` reads a few small files and folders, and to load node:fs for that
 * takes as long as all the rest of it (docs/measurements.md).
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

/** Host.listFolder, by the C library alone. getdents(2) */
export function listFolder(path: string): readonly string[] {
  if (!hasBasicCalls()) return slowFiles().listFolder(path);
  const fd = openToRead(`list ${path}`, path);
  if (fd === undefined) return [];
  try {
    const names: string[] = [];
    for (;;) {
      const count = Number(basicCalls().getdents64(fd, chunk, chunk.length));
      if (count === 0) return names.sort();
      if (count < 0) return noFolder(path, readErrno());
      names.push(...namesIn(chunk.subarray(0, count)));
    }
  } finally {
    basicCalls().close(fd);
  }
}

/** The same by node:fs. */
function slowFiles(): Pick<Host, "readText" | "listFolder"> {
  const { listFolder, readText }: typeof import("./files.ts") = require("./files.ts");
  return { listFolder, readText };
}

function noFolder(path: string, errno: number): [] {
  if (errno === ENOTDIR) return [];
  throw hostCallError(`list ${path}`, errno);
}

function openToRead(attempt: string, path: string): number | undefined {
  const fd = basicCalls().open(cString(path), O_CLOEXEC, 0);
  if (fd >= 0) return fd;
  const errno = readErrno();
  if (errno === ENOENT || errno === ENOTDIR) return undefined;
  throw hostCallError(attempt, errno);
}

/** To the end: a file of /proc has no size beforehand. */
function readAll(path: string, fd: number): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  for (let filled = 0; ; ) {
    const count = Number(basicCalls().read(fd, chunk.subarray(filled), chunk.length - filled));
    if (count === 0) return text + decoder.decode(chunk.subarray(0, filled));
    if (count < 0) refuseError(path, readErrno());
    filled += Math.max(count, 0);
    if (filled < chunk.length) continue;
    text += decoder.decode(chunk, { stream: true });
    filled = 0;
  }
}

function refuseError(path: string, errno: number): void {
  if (errno !== EINTR) throw hostCallError(`read ${path}`, errno);
}

function namesIn(entries: Uint8Array): string[] {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const names: string[] = [];
  for (let at = 0; at < entries.length; at += view.getUint16(at + LENGTH_AT, true)) {
    const name = decoder.decode(entries.subarray(at + NAME_AT, entries.indexOf(0, at + NAME_AT)));
    if (name !== "." && name !== "..") names.push(name);
  }
  return names;
}
