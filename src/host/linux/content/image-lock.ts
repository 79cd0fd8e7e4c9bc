import { ptr } from "bun:ffi";
import { fstatSync, readdirSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { PassedFile } from "../../../plan/facts/launch-spec.ts";
import { EWOULDBLOCK } from "../calls/errno.ts";
import { fcntl } from "../calls/fcntl.ts";
import { readErrno } from "../calls/libc.ts";
import { sleep } from "../calls/wait-ready.ts";

// Rule: An image that QEMU uses is locked against a second writer.

/** asm-generic/fcntl.h */
const F_OFD_GETLK = 36n;
const F_OFD_SETLK = 37n;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
/** struct flock: type and whence, padding, start, length, pid. */
const FLOCK_BYTES = 32;
const START_AT = 8;
const LENGTH_AT = 16;

/**
 * First bytes of the locks for a program's permissions, and for permissions denied to others. qemu.git
 * block/file-posix.c
 */
const DOES = 100n;
const FORBIDS = 200n;
/** Bit positions of BLK_PERM_CONSISTENT_READ, _WRITE and _RESIZE. qemu.git include/block/block-common.h */
const READ = 0n;
const WRITE = 1n;
const RESIZE = 3n;

const ALL = [DOES, FORBIDS].flatMap((first) => [READ, WRITE, RESIZE].map((at) => first + at));

/** Time for the last process of an ended guest to disappear. */
const PATIENCE_MS = 3000;
const POLL_MS = 20;

/**
 * Descriptors that lockImage() has locked. Their numbers, also after they are closed, are none of inherited
 * descriptors.
 */
const locked = new Set<number>();

type Lock = NonNullable<PassedFile["lock"]>;

const LOCKS: Readonly<
  Record<Lock["as"], { readonly does: readonly bigint[]; readonly forbids: readonly bigint[] }>
> = {
  reader: { does: [READ], forbids: [WRITE, RESIZE] },
  writer: { does: [READ, WRITE, RESIZE], forbids: [WRITE, RESIZE] },
  sharer: { does: [READ, WRITE], forbids: [] },
};

/**
 * Locks an image like QEMU, so that qemu-img refuses it. The lock belongs to the open file description, not
 * to a process, and lasts as long as the guest has the descriptor. Has no effect on a file system without
 * locks. Throws "in-use" if another program has locked the image. F_OFD_SETLK, fcntl(2)
 */
export async function lockImage(fd: number, path: string, { as, isFirst }: Lock): Promise<void> {
  locked.add(fd);
  const { does, forbids } = LOCKS[as];
  for (const byte of [...does.map((at) => DOES + at), ...forbids.map((at) => FORBIDS + at)]) {
    if (!ask(F_OFD_SETLK, fd, { type: F_RDLCK, byte }) && readErrno() === EWOULDBLOCK) throw taken(path);
  }
  if (!isFirst) return;
  const others = [...forbids.map((at) => DOES + at), ...does.map((at) => FORBIDS + at)];
  const isFree = (): boolean => !others.some((byte) => isHeld(fd, byte));
  if (isFree()) return;
  if (isWrittenHere(fd)) throw taken(path);
  unlockInherited(fd);
  for (const deadline = performance.now() + PATIENCE_MS; !isFree(); await sleep(POLL_MS))
    if (performance.now() > deadline) throw taken(path);
}

/** Descriptors for svirt's own writes to images beside other work. */
const written = new Set<number>();

/**
 * Marks a locked descriptor as svirt's own: no other work of this process takes it for an inherited
 * descriptor. Returns the end of the mark.
 */
export function keepLock(fd: number): () => void {
  written.add(fd);
  return () => void written.delete(fd);
}

/**
 * Reports whether other work of this process writes to the file of a descriptor: waiting for it would delay
 * that work.
 */
function isWrittenHere(fd: number): boolean {
  const file = fstatSync(fd, { bigint: true });
  return [...written].some((other) => other !== fd && isOpenOn(other, file));
}

/**
 * Unlocks descriptors inherited from an ended guest. A reaper whose shell closes only single-digit
 * descriptors becomes svirt with the others open. No other process has them then. The locks of this process's
 * other calls stay. A process of a guest ended a moment ago may still hold its lock.
 */
function unlockInherited(fd: number): void {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  for (const name of readdirSync("/proc/self/fd")) {
    const other = Number(name);
    if (locked.has(other) || !isOpenOn(other, { dev, ino })) continue;
    for (const byte of ALL) ask(F_OFD_SETLK, other, { type: F_UNLCK, byte });
  }
}

/** Returns false for a closed descriptor, such as the folder's own. */
function isOpenOn(fd: number, file: { readonly dev: bigint; readonly ino: bigint }): boolean {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return dev === file.dev && ino === file.ino;
  } catch {
    return false;
  }
}

/**
 * Reports whether a guest with exclusive write access has the image open, by the locks of lockImage(). They
 * last as long as the open file description, even if no descriptor or mapping leads to it: a process may wait
 * in splice(2).
 */
export function isLockedForWriting(fd: number): boolean {
  return isHeld(fd, DOES + WRITE) && isHeld(fd, FORBIDS + WRITE);
}

function isHeld(fd: number, byte: bigint): boolean {
  const flock = { type: F_WRLCK, byte };
  return ask(F_OFD_GETLK, fd, flock) && flock.type !== F_UNLCK;
}

/** Returns false if the kernel refuses; readErrno() has the reason. Stores the kernel's answer in `type`. */
function ask(command: bigint, fd: number, flock: { type: number; readonly byte: bigint }): boolean {
  const bytes = new Uint8Array(FLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, flock.type, true);
  view.setBigInt64(START_AT, flock.byte, true);
  view.setBigInt64(LENGTH_AT, 1n, true);
  const isDone = fcntl(fd, command, BigInt(ptr(bytes)));
  flock.type = view.getInt16(0, true);
  return isDone;
}

function taken(path: string): SvirtError {
  return new SvirtError(`Cannot pass ${path} to the guest: another program has locked it`, {
    kind: "in-use",
    remedy: `Find that program with lsof ${path}, and end it.`,
  });
}
