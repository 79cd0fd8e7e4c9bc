import { dlopen, FFIType, read } from "bun:ffi";

/**
 * What `svirt list` looks at first: whether SELinux holds anybody back (src/report/permissive.ts), and where guests, and
 * restarts that were asked for, would be (src/plan/paths.ts).
 */
const ENFORCE = "/sys/fs/selinux/enforce";
const FOLDERS: readonly string[] = ["/var/lib/svirt/records", "/run/svirt/restart"];
/** virsh's table without a row. */
const EMPTY_LIST = " Id   Name   State\n--------------------\n\n";

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
/** asm-generic/errno-base.h */
const ENOENT = 2;
const ZERO = 0x30;
/** What getdents64(2) gives for `.` and `..` alone: 24 bytes each. */
const DOTS_BYTES = 48;
/** Longer than that, so that any other name is seen. */
const ROOM_BYTES = 4096;

/**
 * Carries out `svirt list`, word for word, when no guest runs, nothing waits to be finished and there is nothing to warn
 * of; false when it is not for that, and nothing has been done. Programs ask this all day. It stands alone, and shares
 * no file with the rest: each more that is read costs a thirtieth of a hello world, each function called a hundredth
 * (docs/measurements.md).
 */
export function listNothing(words: readonly string[]): boolean {
  // These are the folders of root's guests.
  if (words.length !== 1 || words[0] !== "list" || process.getuid?.() !== 0) return false;
  try {
    return printIfIdle();
  } catch {
    // The policy denies bun:ffi the memory it needs (execmem); the rest of svirt knows what to do then.
    return false;
  }
}

function printIfIdle(): boolean {
  const encoder = new TextEncoder();
  const calls = dlopen("libc.so.6", {
    __errno_location: { args: [], returns: FFIType.ptr },
    getdents64: { args: [FFIType.i32, FFIType.ptr, FFIType.u64], returns: FFIType.i64_fast },
    open: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
    read: { args: [FFIType.i32, FFIType.ptr, FFIType.u64], returns: FFIType.i64_fast },
    write: { args: [FFIType.i32, FFIType.ptr, FFIType.u64], returns: FFIType.i64_fast },
  }).symbols;
  const bytes = new Uint8Array(ROOM_BYTES);
  const enforce = calls.open(encoder.encode(`${ENFORCE}\0`), O_CLOEXEC);
  // Without SELinux there is no such file, and nothing to warn of.
  if (enforce >= 0 && (Number(calls.read(enforce, bytes, 1)) !== 1 || bytes[0] === ZERO)) return false;
  for (const folder of FOLDERS) {
    const fd = calls.open(encoder.encode(`${folder}\0`), O_CLOEXEC);
    const place = fd < 0 ? calls.__errno_location() : null;
    if (place !== null && read.i32(place, 0) === ENOENT) continue;
    // Of what cannot be opened or listed too.
    if (Number(calls.getdents64(fd, bytes, ROOM_BYTES)) !== DOTS_BYTES) return false;
  }
  const text = encoder.encode(EMPTY_LIST);
  // Nothing written: the rest of svirt tries again, and tells why not. So short a text is written whole or not at all.
  return Number(calls.write(1, text, text.length)) === text.length;
}
