import { ptr } from "bun:ffi";
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { SvirtError } from "../../../errors.ts";
import { EACCES, ELOOP, ENOENT, ENOTDIR, EXDEV } from "../calls/errno.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { emptyOut, type Name, removeFolderIn } from "./empty-folder.ts";
import { O_PATH } from "./file-id.ts";
import { orThrow } from "./files.ts";
import { unmountMemory } from "./memory-mount.ts";

/** Number of the call on every architecture. linux/openat2.h: struct open_how and its resolve flags */
const SYS_OPENAT2 = 437n;
const OPEN_HOW_WORDS = 3;
const RESOLVE_NO_XDEV = 1n;
const RESOLVE_NO_SYMLINKS = 4n;
/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const OWNER_MAY_ALL = 0o700;

/** Limit on open descriptors. Folders further up are reopened by "..". */
const MOST_OPEN = 32;
/** Maximum number of path components in an error. */
const MOST_SHOWN = 8;
/** Maximum number of passes over a folder to which entries are added during its removal. */
const MOST_PASSES = 3;

interface Level {
  /** Name in the folder above. */
  readonly name: Name;
  /** Identity of the folder. */
  readonly id: string;
  /** Its folders with content. */
  readonly full: Name[];
}

/**
 * Implements Host.removeFolder by descriptors, without recursion. Follows no symlink and crosses no mount:
 * openat2(2). Throws "host-call", "no-access", "wrong-state" for a mount in it, and "failed" if a folder in
 * it is moved during the removal.
 */
export function removeTree(path: string, isMounted = false): void {
  orThrow(`remove folder ${path}`, () => {
    if (isMounted) unmountMemory(path);
    for (let pass = 1; ; pass += 1) {
      const top = openTop(path);
      if (top === undefined) return;
      new Descent(path, top).run();
      if (isRemoved(path, pass === MOST_PASSES)) return;
    }
  });
}

/** Opens the folder. Returns undefined if it is missing; removes a file that is not a folder. */
function openTop(path: string): number | undefined {
  const parent = openParent(path);
  if (parent === undefined) return undefined;
  try {
    const top = openWithin(parent, nameOf(path), O_RDONLY);
    if (typeof top === "number") return top;
    if (top.errno === ENOENT) return undefined;
    if (top.errno !== ENOTDIR && top.errno !== ELOOP) throw refusal(path, path, top.errno);
    unlinkSync(path);
    return undefined;
  } finally {
    closeSync(parent);
  }
}

function openParent(path: string): number | undefined {
  try {
    return openSync(dirname(path), O_PATH | O_DIRECTORY);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function nameOf(path: string): Name {
  return Buffer.from(basename(path)).toString("latin1");
}

/** Removes the emptied folder. Returns false if entries have been added since; throws in the last pass. */
function isRemoved(path: string, isLast: boolean): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return true;
    if (isLast || !hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
    return false;
  }
}

/** Walks down a tree and up again, and empties its top. */
class Descent {
  readonly #path: string;
  readonly #levels: Level[];
  /** Descriptors of the lowest levels, the current level last. */
  readonly #open: number[];

  constructor(path: string, top: number) {
    this.#path = path;
    this.#open = [top];
    this.#levels = [];
  }

  run(): void {
    try {
      this.#enter("", this.#current());
      let isDone = false;
      while (!isDone) isDone = this.#step();
    } finally {
      for (const fd of this.#open) closeSync(fd);
    }
  }

  /** Moves a folder down or up. Returns true if the top is empty. */
  #step(): boolean {
    const name = this.#levels.at(-1)?.full.pop();
    if (name !== undefined) this.#descend(name);
    else if (this.#levels.length > 1) this.#leave();
    else return true;
    return false;
  }

  #descend(name: Name): void {
    const below = this.#openBelow(name);
    if (below === undefined) return;
    this.#open.push(below);
    if (this.#open.length > MOST_OPEN) closeSync(this.#open.shift() ?? below);
    this.#enter(name, below);
  }

  #current(): number {
    return this.#open.at(-1) ?? -1;
  }

  #enter(name: Name, fd: number): void {
    letOwner(fd);
    const level: Level = { name, id: idOf(fd), full: [] };
    this.#levels.push(level);
    level.full.push(...this.#emptyOut(fd));
  }

  #emptyOut(fd: number): readonly Name[] {
    const { full, refused } = emptyOut(fd);
    if (refused !== undefined) throw this.#notRemoved(refused.name, refused.errno);
    return full;
  }

  #leave(): void {
    const left = this.#levels.pop();
    if (this.#open.length === 1) this.#open.unshift(this.#openAbove());
    closeSync(this.#open.pop() ?? -1);
    const result = left === undefined ? "gone" : removeFolderIn(this.#current(), left.name);
    if (left !== undefined && typeof result === "object") throw this.#notRemoved(left.name, result.errno);
  }

  /**
   * Reopens the folder above. Throws "failed" if the current folder was moved, so that ".." leads elsewhere.
   */
  #openAbove(): number {
    const fd = openWithin(this.#current(), "..", O_RDONLY);
    if (typeof fd !== "object" && idOf(fd) === this.#levels.at(-1)?.id) return fd;
    if (typeof fd !== "object") closeSync(fd);
    throw new SvirtError(`Cannot remove folder ${this.#path}: another program moves files in it`, {
      kind: "failed",
      remedy: "End the program that uses it, and try again.",
    });
  }

  /** Returns undefined if the folder no longer exists. */
  #openBelow(name: Name): number | undefined {
    let fd = openWithin(this.#current(), name, O_RDONLY);
    if (typeof fd === "object" && fd.errno === EACCES) {
      this.#open.push(this.#lookAt(name));
      chmodSync(`/proc/self/fd/${this.#current()}`, OWNER_MAY_ALL);
      closeSync(this.#open.pop() ?? -1);
      fd = openWithin(this.#current(), name, O_RDONLY);
    }
    if (typeof fd === "number") return fd;
    if (fd.errno === ENOENT) return undefined;
    throw this.#refusal(name, fd.errno);
  }

  #lookAt(name: Name): number {
    const fd = openWithin(this.#current(), name, O_PATH);
    if (typeof fd === "number") return fd;
    throw this.#refusal(name, fd.errno);
  }

  #refusal(name: Name, errno: number): SvirtError {
    return refusal(this.#path, this.#pathOf(name), errno);
  }

  #notRemoved(name: Name, errno: number): SvirtError {
    return hostCallError(`remove ${this.#pathOf(name)}`, errno);
  }

  /** Returns the path of an entry, or the beginning of a long path. */
  #pathOf(name: Name): string {
    const names = [...this.#levels.slice(1).map((level) => level.name), name];
    return `${this.#path}/${names.slice(0, MOST_SHOWN).map(textOf).join("/")}`;
  }
}

function refusal(path: string, where: string, errno: number): SvirtError {
  if (errno !== EXDEV) return hostCallError(`open ${where}`, errno);
  return new SvirtError(`Cannot remove folder ${path}: another file system is mounted on ${where}`, {
    kind: "wrong-state",
    remedy: `Unmount it: umount ${where}`,
  });
}

/** Opens a folder in an open folder. openat2(2) */
function openWithin(folder: number, name: Name, access: number): number | { readonly errno: number } {
  const flags = BigInt(access | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const how = new BigUint64Array([flags, 0n, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS]);
  const path = Buffer.from(`${name}\0`, "latin1");
  const size = BigInt(OPEN_HOW_WORDS * BigUint64Array.BYTES_PER_ELEMENT);
  const fd = libc().syscall(SYS_OPENAT2, BigInt(folder), BigInt(ptr(path)), BigInt(ptr(how)), size);
  return fd < 0n ? { errno: readErrno() } : Number(fd);
}

/** Returns the identity of a folder. */
function idOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev} ${ino}`;
}

/** Restores the owner's permissions, which an ordinary user's guest may have removed from its folders. */
function letOwner(fd: number): void {
  const { mode, uid } = fstatSync(fd);
  if (uid === process.geteuid?.() && (mode & OWNER_MAY_ALL) !== OWNER_MAY_ALL) fchmodSync(fd, OWNER_MAY_ALL);
}

function textOf(name: Name): string {
  return Buffer.from(name, "latin1").toString();
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
