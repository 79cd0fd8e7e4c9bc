import { ptr } from "bun:ffi";
import { constants } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import type { Judged } from "../../files.ts";
import { basicCalls, cString, hasBasicCalls, hostCallError, libc, readErrno } from "../calls/libc.ts";
import { withFile } from "./file-id.ts";
import { listFolder } from "./files.ts";

const { O_DIRECTORY, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** asm-generic/fcntl.h, missing in node:fs; O_RDONLY is 0 */
const O_CLOEXEC = 0o2000000;
const FOLDER = O_DIRECTORY | O_CLOEXEC;
/**
 * Neither a FIFO nor a lease in place of the file makes the opening wait, and no symbolic link is followed.
 */
const FILE = O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
/**
 * struct linux_dirent64: 8 bytes of inode, 8 of offset, 2 of length, 1 of type, then the name. getdents(2)
 */
const [LENGTH_AT, TYPE_AT, NAME_AT] = [16, 18, 19];
/** Types of entries. dirent.h */
const [DT_UNKNOWN, DT_REG] = [0, 8];
const CHUNK_BYTES = 65_536;

type Judge<Found> = (bytes: Uint8Array | undefined) => Found | undefined;

/**
 * Implements Host.judgeBeginnings with three system calls for a file: a pool may have many thousands. The
 * type of an entry comes with its name, and the file is opened in the open folder.
 */
export function judgeBeginnings<Found>(
  folder: FileId,
  length: number,
  judge: Judge<Found>,
): readonly Judged<Found>[] {
  return withFile(folder, (at) => {
    if (!hasBasicCalls()) return listFolder(at).flatMap((name) => named(name, judge(undefined)));
    const fd = basicCalls().open(cString(at), FOLDER, 0);
    if (fd < 0) throw hostCallError(`list ${folder.path}`, readErrno());
    try {
      return judgeAll(folder, fd, { bytes: new Uint8Array(length), judge });
    } finally {
      basicCalls().close(fd);
    }
  });
}

interface Work<Found> {
  /** Place for the beginning of a file. */
  readonly bytes: Uint8Array;
  readonly judge: Judge<Found>;
}

function judgeAll<Found>({ path }: FileId, fd: number, work: Work<Found>): readonly Judged<Found>[] {
  const all: Judged<Found>[] = [];
  const entries = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const count = Number(basicCalls().getdents64(fd, entries, entries.length));
    if (count === 0) return all.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (count < 0) throw hostCallError(`list ${path}`, readErrno());
    judgeEntries(fd, entries.subarray(0, count), { ...work, all });
  }
}

function judgeEntries<Found>(
  fd: number,
  entries: Uint8Array,
  { all, bytes, judge }: Work<Found> & { readonly all: Judged<Found>[] },
): void {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
  for (let at = 0; at < entries.length; at += view.getUint16(at + LENGTH_AT, true)) {
    const type = entries[at + TYPE_AT];
    if (type !== DT_REG && type !== DT_UNKNOWN) continue;
    const nameAt = at + NAME_AT;
    const found = judge(type === DT_REG ? beginningOf(fd, ptr(entries, nameAt), bytes) : undefined);
    if (found !== undefined) all.push(...named(nameFrom(entries, nameAt), found));
  }
}

/** Returns the first bytes of a file of an open folder; undefined if it cannot be read without waiting. */
function beginningOf(
  folder: number,
  name: ReturnType<typeof ptr>,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const fd = libc().openat(folder, name, FILE, 0);
  if (fd < 0) return undefined;
  const count = Number(basicCalls().read(fd, bytes, bytes.length));
  basicCalls().close(fd);
  return count < 0 ? undefined : bytes.subarray(0, count);
}

function nameFrom(entries: Uint8Array, at: number): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(entries.subarray(at, entries.indexOf(0, at)));
}

function named<Found>(name: string, found: Found | undefined): readonly Judged<Found>[] {
  return found === undefined || name === "." || name === ".." ? [] : [{ name, found }];
}
