import { ptr } from "bun:ffi";
import { hostCallError, libc, readErrno } from "./libc.ts";

/**
 * asm/unistd_64.h. Raw system calls act on this thread only; the C library's functions act on all threads.
 */
const SYS_GETGROUPS = 115n;
const SYS_SETGROUPS = 116n;
const SYS_CAPGET = 125n;
const SYS_CAPSET = 126n;
const SYS_SETRESUID = 117n;
const SYS_SETRESGID = 119n;
/**
 * linux/capability.h. Header: _LINUX_CAPABILITY_VERSION_3 and a thread ID. Data: two structs of three 32-bit
 * words. capget(2)
 */
const CAPABILITY_VERSION_3 = 0x20080522;
const HEADER_BYTES = 8;
const SETS_BYTES = 24;
const KEEP = -1n;

/**
 * Runs `act` synchronously as another user, with a group of the same ID, without other groups and with
 * svirt's capabilities. Serves operations in which other programs see the caller's credentials. Throws
 * "host-call". credentials(7)
 */
export function withUser<Result>(uid: number, act: () => Result): Result {
  const own = process.geteuid?.() ?? 0;
  if (uid === own) return act();
  const ownGroup = process.getegid?.() ?? 0;
  const [capabilities, groups] = [getCapabilities(), getGroups()];
  try {
    setGroups(new Uint32Array());
    setIds(uid, uid);
    // A change from root clears the effective capabilities; the permitted ones allow restoring them.
    setCapabilities(capabilities);
    return act();
  } finally {
    setIds(own, ownGroup);
    setGroups(groups);
  }
}

/** Returns the groups of this thread. getgroups(2) */
function getGroups(): Uint32Array {
  const groups = new Uint32Array(Number(libc().syscall(SYS_GETGROUPS, 0n, 0n, 0n, 0n)));
  callWith(SYS_GETGROUPS, groups, "read svirt's groups");
  return groups;
}

function setGroups(groups: Uint32Array): void {
  callWith(SYS_SETGROUPS, groups, "drop svirt's groups");
}

function callWith(number: bigint, groups: Uint32Array, attempt: string): void {
  const place = groups.length === 0 ? 0n : BigInt(ptr(groups));
  if (libc().syscall(number, BigInt(groups.length), place, 0n, 0n) < 0n)
    throw hostCallError(attempt, readErrno());
}

function setIds(uid: number, gid: number): void {
  const { syscall } = libc();
  const isRoot = uid === 0;
  const calls = [
    () => syscall(SYS_SETRESGID, KEEP, BigInt(gid), KEEP, 0n),
    () => syscall(SYS_SETRESUID, KEEP, BigInt(uid), KEEP, 0n),
  ];
  // The user is restored first, since only root may set the group.
  for (const call of isRoot ? calls.toReversed() : calls) {
    if (call() !== 0n) throw hostCallError(`act as user ${uid}`, readErrno());
  }
}

function getCapabilities(): Uint8Array {
  const sets = new Uint8Array(SETS_BYTES);
  callOn(SYS_CAPGET, sets, "read svirt's capabilities");
  return sets;
}

function setCapabilities(sets: Uint8Array): void {
  callOn(SYS_CAPSET, sets, "restore svirt's capabilities");
}

function callOn(number: bigint, sets: Uint8Array, attempt: string): void {
  const header = new Uint8Array(HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, CAPABILITY_VERSION_3, true);
  if (libc().syscall(number, BigInt(ptr(header)), BigInt(ptr(sets)), 0n, 0n) !== 0n)
    throw hostCallError(attempt, readErrno());
}
