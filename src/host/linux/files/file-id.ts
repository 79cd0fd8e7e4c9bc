import { type BigIntStats, closeSync, constants, fstatSync, openSync, readdirSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { FileType } from "../../file-attributes.ts";
import type { FileFacts } from "../../files.ts";
import { thrownFacts } from "../calls/errno-remedy.ts";
import { nativeName } from "../calls/native-name.ts";

// Rule: Only the inspected inode is labelled, wherever its path leads now.

/**
 * Missing in node:fs, where `undefined | flags` would silently be another mode. asm-generic/fcntl.h O_PATH
 */
export const O_PATH = 0o10000000;

/** Unit of st_blocks on every file system. stat(2) */
export const BLOCK_BYTES = 512;
/** Types of stat(2) by the bits of st_mode. linux/stat.h S_IFMT */
const TYPE_BITS = 0o170000;
const SYMLINK_BITS = 0o120000;
const TYPES: ReadonlyMap<number, FileType> = new Map([
  [0o010000, "fifo"],
  [0o020000, "character"],
  [0o040000, "folder"],
  [0o060000, "block"],
  [0o100000, "file"],
]);

/** Returns the facts of fstat(2) for a file with this path. */
export function fileFacts(path: string, stat: BigIntStats): FileFacts {
  const type = fileType(Number(stat.mode));
  const isNode = type === "block" || type === "character";
  return {
    id: {
      path,
      device: deviceNumber(stat.dev),
      inode: String(stat.ino),
      ...(isNode ? { node: deviceNumber(stat.rdev) } : {}),
    },
    type,
    sizeBytes: Number(stat.size),
    modifiedMs: Number(stat.mtimeMs),
    times: { accessedNs: stat.atimeNs, modifiedNs: stat.mtimeNs, changedNs: stat.ctimeNs },
    allocatedBytes: Number(stat.blocks) * BLOCK_BYTES,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mode: Number(stat.mode) & 0o7777,
  };
}

/**
 * Opens a path without following a symlink in its last component. The caller closes the descriptor. Throws
 * errors of node:fs.
 */
export function openAt(path: string | Buffer, flags: number): number {
  return openSync(typeof path === "string" ? nativeName(path) : path, flags | constants.O_NOFOLLOW);
}

/**
 * Runs `use` with `/proc/self/fd/N` and N of the inspected file. Throws "denied" if the path now leads to
 * another file, "host-call" or "no-access" if it leads to none or to a file it cannot open, and the errors
 * of `use`.
 */
export function withFile<Result>(file: FileId, use: (descriptorPath: string, fd: number) => Result): Result {
  const fd = openInspected(file.path);
  try {
    refuseOther(file, fstatSync(fd, { bigint: true }));
    return use(`/proc/self/fd/${fd}`, fd);
  } finally {
    closeSync(fd);
  }
}

/** Does longer work as withFile() does. */
export async function whileOpen<Result>(
  file: FileId,
  work: (descriptorPath: string) => Promise<Result>,
): Promise<Result> {
  const fd = openInspected(file.path);
  try {
    refuseOther(file, fstatSync(fd, { bigint: true }));
    return await work(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens the file that was inspected, after a check of its identity. Opening another file may have an effect:
 * a FIFO waits, and a watchdog starts counting. Throws "denied" if the path now leads to another file.
 */
export function openSame(file: FileId, flags: number): number {
  return withFile(file, (descriptorPath) => openSync(descriptorPath, flags));
}

/** Opens a path for inspection only. */
export function openPath(path: string | Buffer): number {
  return openAt(path, O_PATH);
}

/** Opens a path for inspection only. Throws "host-call". */
export function openInspected(path: string): number {
  try {
    return openPath(path);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new SvirtError(`Cannot open ${path}: ${words}`, { ...thrownFacts(error), cause: error });
  }
}

/** Entry of a folder: its name for messages, and a path to it, which may contain any bytes. */
interface Child {
  readonly name: string;
  readonly at: Buffer;
}

/** Lists the entries of an open folder. */
export function listChildren(folder: number): readonly Child[] {
  const above = `/proc/self/fd/${folder}`;
  return readdirSync(above, { encoding: "buffer" }).map((name) => ({
    name: name.toString(),
    at: Buffer.concat([Buffer.from(`${above}/`), name]),
  }));
}

/** Throws "denied" for any file but the inspected file. */
export function refuseOther(file: FileId, stat: BigIntStats): void {
  const isSame = isSameFile(fileFacts(file.path, stat).id, file);
  // A symlink created right after the file's removal may have got its inode number.
  if (!isSame || stat.isSymbolicLink()) throw replaced(file.path);
}

/** Returns the error for a path that leads to another file than the inspected one. */
export function replaced(path: string): SvirtError {
  return new SvirtError(`Cannot open ${path}: the file was replaced after svirt inspected it`, {
    kind: "denied",
    remedy: "Find the program that replaces files there, then try again.",
  });
}

/** Reports whether both are the same file, by device, inode, and number of a device node. */
export function isSameFile(one: FileId, other: FileId): boolean {
  return one.device === other.device && one.inode === other.inode && one.node === other.node;
}

/** Returns the type of a file that is no symbolic link, by its st_mode. */
export function fileType(mode: number): FileType {
  return TYPES.get(mode & TYPE_BITS) ?? "socket";
}

/** Reports whether a file with this st_mode is a symbolic link. */
export function isSymlink(mode: number): boolean {
  return (mode & TYPE_BITS) === SYMLINK_BITS;
}

/** Formats a device number as MAJOR:MINOR, by gnu_dev_major and gnu_dev_minor of sys/sysmacros.h. */
export function deviceNumber(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
