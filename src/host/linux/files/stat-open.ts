import type { FileId } from "../../../plan/facts/file.ts";
import type { FileType } from "../../file-attributes.ts";
import type { FileFacts, FileTimes } from "../../files.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { BLOCK_BYTES, fileType, isSymlink } from "./file-id.ts";

/** linux/fcntl.h */
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_FORCE_SYNC = 0x2000;
/** linux/stat.h */
const STATX_TYPE = 0x1;
const STATX_INO = 0x100;
const STATX_BASIC_STATS = 0x7ff;
/** Offsets in struct statx of linux/stat.h, in words of 32 bits. Numbers of 64 bits take two. */
const UID = 5;
const GID = 6;
const MODE = 7;
const INODE = 8;
const SIZE = 10;
const BLOCKS = 12;
const ACCESSED = 16;
const CHANGED = 24;
const MODIFIED = 28;
const NODE = 32;
const DEVICE = 34;
const STATX_WORDS = 64;
const WORD = 2 ** 32;
const MODE_BITS = 0xffff;
const PERMISSIONS = 0o7777;
const NS_OF_MS = 1_000_000;
const MS_OF_S = 1000;
const NS_OF_S = 1_000_000_000n;

const NO_PATH = new Uint8Array(1);
/** Answer of the last call: an array is read faster than a DataView. */
const words = new Uint32Array(STATX_WORDS);

/** Times that few commands need: a bigint takes longer than the kernel's answer. */
class Times implements FileTimes {
  /** Part of an answer, from ACCESSED on. */
  private readonly answer: Uint32Array;

  constructor(answer: Uint32Array) {
    this.answer = answer;
  }

  get accessedNs(): bigint {
    return this.inNs(0);
  }

  get modifiedNs(): bigint {
    return this.inNs(MODIFIED - ACCESSED);
  }

  get changedNs(): bigint {
    return this.inNs(CHANGED - ACCESSED);
  }

  private inNs(offset: number): bigint {
    return BigInt(secondsIn(this.answer, offset)) * NS_OF_S + BigInt(this.answer[offset + 2] ?? 0);
  }
}

/** The last device number, and its text: most files of a list have the same. */
const lastDevice = { major: -1, minor: -1, text: "" };

/** Which file is open, and its type. */
interface OpenIdentity {
  readonly id: FileId;
  readonly type: FileType;
}

/**
 * Returns the facts of an open file with this path; undefined for a symbolic link. A quarter of the time of
 * node:fs, for commands on thousands of files. Throws "host-call".
 */
export function statOpen(fd: number, path: string): FileFacts | undefined {
  const identity = identifyOpen(fd, path);
  if (identity === undefined) return undefined;
  return {
    id: identity.id,
    type: identity.type,
    sizeBytes: numberAt(SIZE),
    modifiedMs: secondsIn(words, MODIFIED) * MS_OF_S + Math.floor(wordAt(MODIFIED + 2) / NS_OF_MS),
    times: new Times(words.slice(ACCESSED, NODE)),
    allocatedBytes: numberAt(BLOCKS) * BLOCK_BYTES,
    uid: wordAt(UID),
    gid: wordAt(GID),
    mode: wordAt(MODE) & PERMISSIONS,
  };
}

/**
 * Returns which file is open, with this path; undefined for a symbolic link. The kernel requests the
 * attributes from the file's server: otherwise its cache may hide, for a minute, a label or mark that another
 * machine has set. nfs(5), "Data and metadata cache coherence". statx(2). Throws "host-call".
 */
export function identifyOpen(fd: number, path: string): OpenIdentity | undefined {
  if (libc().statx(fd, NO_PATH, AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, words) !== 0)
    throw hostCallError(`inspect ${path}`, readErrno());
  const mode = wordAt(MODE) & MODE_BITS;
  if (isSymlink(mode)) return undefined;
  const type = fileType(mode);
  return { id: idInAnswer(path, type === "block" || type === "character"), type };
}

/**
 * Returns the identity of an entry of an open folder, with this path, if it is a regular file; undefined for
 * all else.
 */
export function statRegular(folder: number, name: Uint8Array, path: string): FileId | undefined {
  if (libc().statx(folder, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO, words) !== 0) return undefined;
  return fileType(wordAt(MODE) & MODE_BITS) === "file" ? idInAnswer(path, false) : undefined;
}

function idInAnswer(path: string, isNode: boolean): FileId {
  const [device, inode] = [deviceInAnswer(), inodeInAnswer()];
  if (!isNode) return { path, device, inode };
  return { path, device, inode, node: `${wordAt(NODE)}:${wordAt(NODE + 1)}` };
}

function inodeInAnswer(): string {
  const high = wordAt(INODE + 1);
  // Few file systems have larger ones.
  return high === 0 ? String(wordAt(INODE)) : String(BigInt(high) * BigInt(WORD) + BigInt(wordAt(INODE)));
}

/** Returns the device number as MAJOR:MINOR. */
function deviceInAnswer(): string {
  const [major, minor] = [wordAt(DEVICE), wordAt(DEVICE + 1)];
  if (lastDevice.major !== major || lastDevice.minor !== minor)
    Object.assign(lastDevice, { major, minor, text: `${major}:${minor}` });
  return lastDevice.text;
}

/** Returns an unsigned number below 2 ** 53. */
function numberAt(offset: number): number {
  return wordAt(offset + 1) * WORD + wordAt(offset);
}

/** Returns the signed seconds of struct statx_timestamp. */
function secondsIn(answer: Uint32Array, offset: number): number {
  return ((answer[offset + 1] ?? 0) | 0) * WORD + (answer[offset] ?? 0);
}

function wordAt(offset: number): number {
  return words[offset] ?? 0;
}
