import { ptr } from "bun:ffi";
import { EBUSY, EEXIST, EISDIR, ENOENT, ENOTEMPTY } from "../calls/errno.ts";
import { basicCalls, hostCallError, libc, readErrno } from "../calls/libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_UNLINKAT = process.arch === "x64" ? 263n : 35n;
/** linux/fcntl.h */
const AT_REMOVEDIR = 0x200n;
/**
 * struct linux_dirent64: 8 bytes of inode, 8 of offset, 2 of length, 1 of type, then the name. getdents(2)
 */
const LENGTH_AT = 16;
const TYPE_AT = 18;
const NAME_AT = 19;
const DT_DIR = 4;
const DOT = 0x2e;
const CHUNK_BYTES = 65_536;
/** A character per byte, since a name may contain any bytes. */
export type Name = string;

/** Result of removing an entry. `full`: a folder with content or a mount point. */
export type Removal = "gone" | "full" | { readonly errno: number };

/** Entries left in a folder. */
export interface Emptied {
  /** Names of folders with content and of mount points. */
  readonly full: readonly Name[];
  /** The first entry with a failed removal; later entries are left. */
  readonly refused?: { readonly name: Name; readonly errno: number };
}

/**
 * Removes all entries except folders that are not empty. Throws "host-call" if the folder cannot be listed.
 * getdents(2)
 */
export function emptyOut(fd: number): Emptied {
  const full: Name[] = [];
  const bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (;;) {
    const count = Number(basicCalls().getdents64(fd, bytes, bytes.length));
    if (count < 0) throw hostCallError("list a folder", readErrno());
    if (count === 0) return { full };
    const refused = removeChunk(fd, { bytes, count, full });
    if (refused !== undefined) return { full, refused };
  }
}

function removeChunk(
  fd: number,
  { bytes, count, full }: { readonly bytes: Buffer; readonly count: number; readonly full: Name[] },
): Emptied["refused"] {
  for (let at = 0; at < count; at += bytes.readUInt16LE(at + LENGTH_AT)) {
    const result = removeListed(fd, bytes, at);
    if (result === "full") full.push(nameIn(bytes, at));
    else if (result !== "gone") return { name: nameIn(bytes, at), errno: result.errno };
  }
  return undefined;
}

function nameIn(bytes: Buffer, at: number): Name {
  return bytes.toString("latin1", at + NAME_AT, bytes.indexOf(0, at + NAME_AT));
}

/** Removes the entry of a directory record. */
function removeListed(fd: number, bytes: Buffer, at: number): Removal {
  if (isDots(bytes, at + NAME_AT)) return "gone";
  return removeEntry(fd, BigInt(ptr(bytes, at + NAME_AT)), bytes[at + TYPE_AT] === DT_DIR);
}

/** Reports whether the name is `.` or `..`. */
function isDots(bytes: Buffer, at: number): boolean {
  return bytes[at] === DOT && (bytes[at + 1] === 0 || (bytes[at + 1] === DOT && bytes[at + 2] === 0));
}

/**
 * Removes an entry, and retries it as a folder: not every file system reports the types of entries.
 * unlinkat(2)
 */
function removeEntry(folder: number, name: bigint, isFolder: boolean): Removal {
  const flags = isFolder ? AT_REMOVEDIR : 0n;
  if (libc().syscall(SYS_UNLINKAT, BigInt(folder), name, flags, 0n) === 0n) return "gone";
  const errno = readErrno();
  if (errno === EISDIR && !isFolder) return removeEntry(folder, name, true);
  if (errno === ENOENT) return "gone";
  if (isFolder && (errno === ENOTEMPTY || errno === EEXIST || errno === EBUSY)) return "full";
  return { errno };
}

/** Removes an empty folder in an open folder. unlinkat(2) */
export function removeFolderIn(folder: number, name: Name): Removal {
  const bytes = Buffer.from(`${name}\0`, "latin1");
  return removeEntry(folder, BigInt(ptr(bytes)), true);
}
