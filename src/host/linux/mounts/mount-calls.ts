import { dlopen, FFIType, ptr } from "bun:ffi";
import type { MountFlag } from "../../../storage/pool/mount/mount-order.ts";
import { basicCalls, cString, readErrno } from "../calls/libc.ts";

const { i32, i64, ptr: pointer } = FFIType;

/**
 * Opened separately, because libc() passes fewer arguments, and the C library has had these functions since
 * glibc 2.36 only.
 */
const CALLS = {
  syscall: { args: [i64, i64, i64, i64, i64, i64], returns: i64 },
  umount2: { args: [pointer, i32], returns: i32 },
} as const;

/** asm-generic/unistd.h; the same on all architectures. */
const SYS_MOVE_MOUNT = 429n;
const SYS_FSOPEN = 430n;
const SYS_FSCONFIG = 431n;
const SYS_FSMOUNT = 432n;
/** linux/mount.h */
const FSOPEN_CLOEXEC = 1n;
const FSMOUNT_CLOEXEC = 1n;
const FSCONFIG_SET_FLAG = 0n;
const FSCONFIG_SET_STRING = 1n;
const FSCONFIG_CMD_CREATE = 6n;
const MOVE_MOUNT_F_EMPTY_PATH = 0x04n;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40n;
/** sys/mount.h */
const UMOUNT_NOFOLLOW = 8;
/** linux/mount.h: MOUNT_ATTR_* */
const ATTRIBUTES: Readonly<Record<MountFlag, bigint>> = {
  ro: 0x01n,
  nosuid: 0x02n,
  nodev: 0x04n,
  noexec: 0x08n,
  noatime: 0x10n,
  nodiratime: 0x80n,
};
const MESSAGE_BYTES = 4096;

/** Failed call: its errno, and the file system's messages about it. */
export interface CallFailure {
  readonly errno: number;
  readonly said: string;
}

/** Result of a call for a descriptor. */
export type Opened = { readonly fd: number } | CallFailure;

/** Creates a context of a file system of the type. fsopen(2) */
export function openContext(type: string): Opened {
  return opened(call(SYS_FSOPEN, place(cString(type)), FSOPEN_CLOEXEC));
}

/** Sets an option, `name` or `name=value`. Returns the failure. fsconfig(2) */
export function configure(context: number, option: string): CallFailure | undefined {
  const [, name = option, value] = /^([^=]*)=(.*)$/s.exec(option) ?? [];
  const isFlag = value === undefined;
  const command = isFlag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
  const [key, text] = [cString(name), cString(value ?? "")];
  return failed(context, call(SYS_FSCONFIG, BigInt(context), command, place(key), isFlag ? 0n : place(text)));
}

/** Opens the file system: asks the server, or reads the device. Returns the failure. fsconfig(2) */
export function create(context: number): CallFailure | undefined {
  return failed(context, call(SYS_FSCONFIG, BigInt(context), FSCONFIG_CMD_CREATE));
}

/** Returns a mount in no folder. fsmount(2) */
export function openMountOf(context: number, flags: readonly MountFlag[]): Opened {
  const attributes = flags.reduce((all, flag) => all | ATTRIBUTES[flag], 0n);
  return opened(call(SYS_FSMOUNT, BigInt(context), FSMOUNT_CLOEXEC, attributes));
}

/** Mounts an opened mount in an opened folder. Returns the failure. move_mount(2) */
export function moveMount(mount: number, folder: number): CallFailure | undefined {
  const empty = place(cString(""));
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  return call(SYS_MOVE_MOUNT, BigInt(mount), empty, BigInt(folder), empty, flags) === 0n
    ? undefined
    : { errno: readErrno(), said: "" };
}

/**
 * Unmounts without following a link in the last name, and only if nothing uses the mount. Returns the
 * failure. umount2(2)
 */
export function unmountAt(path: string): CallFailure | undefined {
  return calls().umount2(cString(path), UMOUNT_NOFOLLOW) === 0 ? undefined : { errno: readErrno(), said: "" };
}

function call(number: bigint, ...args: readonly bigint[]): bigint {
  const [first = 0n, second = 0n, third = 0n, fourth = 0n, fifth = 0n] = args;
  return calls().syscall(number, first, second, third, fourth, fifth);
}

function place(bytes: Uint8Array): bigint {
  return BigInt(ptr(bytes));
}

function opened(result: bigint): Opened {
  return result < 0n ? { errno: readErrno(), said: "" } : { fd: Number(result) };
}

function failed(context: number, result: bigint): CallFailure | undefined {
  if (result === 0n) return undefined;
  const errno = readErrno();
  return { errno, said: readMessages(context) };
}

/**
 * Returns the messages of the file system, without the letter of severity before each. fsopen(2), "Message
 * retrieval"
 */
function readMessages(context: number): string {
  const messages: string[] = [];
  const bytes = new Uint8Array(MESSAGE_BYTES);
  for (;;) {
    const length = Number(basicCalls().read(context, bytes, bytes.length));
    if (length <= 0) return messages.join("; ");
    const text = new TextDecoder().decode(bytes.subarray(0, length)).trim();
    messages.push(text.replace(/^[ewi] /, ""));
  }
}

type Calls = ReturnType<typeof dlopen<typeof CALLS>>["symbols"];
let symbols: Calls | undefined;

function calls(): Calls {
  // Opened first, so that no dlopen() comes between a call and readErrno().
  basicCalls();
  symbols ??= dlopen("libc.so.6", CALLS).symbols;
  return symbols;
}
