import { ptr } from "bun:ffi";
import { fstatSync, readdirSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { HandedFile } from "../../../plan/facts/guest-order.ts";
import { EWOULDBLOCK } from "../calls/errno.ts";
import { fcntl } from "../calls/fcntl.ts";
import { readErrno } from "../calls/libc.ts";

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

/** The first byte for what a program does with an image, and for what it lets no other do. qemu.git block/file-posix.c */
const DOES = 100n;
const FORBIDS = 200n;
/** Places of BLK_PERM_CONSISTENT_READ, _WRITE and _RESIZE. qemu.git include/block/block-common.h */
const READ = 0n;
const WRITE = 1n;
const RESIZE = 3n;

const ALL = [DOES, FORBIDS].flatMap((first) => [READ, WRITE, RESIZE].map((at) => first + at));

/** How long the last process of a guest that was ended may take to be gone. */
const PATIENCE_MS = 3000;
const POLL_MS = 20;

type Lock = NonNullable<HandedFile["lock"]>;

const LOCKS: Readonly<
  Record<Lock["as"], { readonly does: readonly bigint[]; readonly forbids: readonly bigint[] }>
> = {
  reader: { does: [READ], forbids: [WRITE, RESIZE] },
  writer: { does: [READ, WRITE, RESIZE], forbids: [WRITE, RESIZE] },
  sharer: { does: [READ, WRITE], forbids: [] },
};

/**
 * Locks an image as QEMU would, so that qemu-img leaves it alone. The lock belongs to what was opened, not to a process: it
 * holds as long as the guest has the descriptor. Where a file system keeps no locks there is none. Throws "label-taken" when
 * another program has the image. F_OFD_SETLK, fcntl(2)
 */
export function lockImage(fd: number, path: string, { as, isFirst }: Lock): void {
  const { does, forbids } = LOCKS[as];
  for (const byte of [...does.map((at) => DOES + at), ...forbids.map((at) => FORBIDS + at)]) {
    if (!ask(F_OFD_SETLK, fd, { type: F_RDLCK, byte }) && readErrno() === EWOULDBLOCK) throw taken(path);
  }
  if (!isFirst) return;
  const others = [...forbids.map((at) => DOES + at), ...does.map((at) => FORBIDS + at)];
  const isFree = (): boolean => !others.some((byte) => isHeld(fd, byte));
  if (isFree()) return;
  unlockInherited(fd);
  for (const deadline = performance.now() + PATIENCE_MS; !isFree(); Bun.sleepSync(POLL_MS))
    if (performance.now() > deadline) throw taken(path);
}

/**
 * A reaper whose shell closes single digits only becomes svirt with descriptors of the guest that has ended: no other process
 * has them then. That of a guest that was ended a moment ago may still be there.
 */
function unlockInherited(fd: number): void {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  for (const name of readdirSync("/proc/self/fd")) {
    const other = Number(name);
    if (other === fd || !isOpenOn(other, { dev, ino })) continue;
    for (const byte of ALL) ask(F_OFD_SETLK, other, { type: F_UNLCK, byte });
  }
}

/** That by which the folder was listed is closed by now. */
function isOpenOn(fd: number, file: { readonly dev: bigint; readonly ino: bigint }): boolean {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return dev === file.dev && ino === file.ino;
  } catch {
    return false;
  }
}

/**
 * Whether an image is open for a guest that alone may write to it, by the locks of lockImage(): they stay as long as what was
 * opened, where no descriptor and no mapping leads to it any more, either. A process may wait in splice(2).
 */
export function isLockedForWriting(fd: number): boolean {
  return isHeld(fd, DOES + WRITE) && isHeld(fd, FORBIDS + WRITE);
}

function isHeld(fd: number, byte: bigint): boolean {
  const flock = { type: F_WRLCK, byte };
  return ask(F_OFD_GETLK, fd, flock) && flock.type !== F_UNLCK;
}

/** False when the kernel says no: its errno tells. What it answers stands in `type` then. */
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
  return new SvirtError(`Cannot hand ${path} to the guest: another program has locked it`, {
    kind: "label-taken",
    remedy: `End that program: lsof ${path}`,
  });
}
