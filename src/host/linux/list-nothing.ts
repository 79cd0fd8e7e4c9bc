import { dlopen, FFIType, read } from "bun:ffi";

/**
 * Paths that `svirt list` inspects first: whether SELinux enforces (src/report/permissive.ts), and the folders of guests'
 * records and of requested restarts (src/plan/paths.ts).
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
/** Result of getdents64(2) for `.` and `..` alone: 24 bytes each. */
const DOTS_BYTES = 48;
/** Larger than DOTS_BYTES, so that any other name is noticed. */
const ROOM_BYTES = 4096;

/**
 * Carries out `svirt list`, byte for byte, if no guest runs, no work is pending and there is no warning. Returns false
 * otherwise, without any effect. Programs call this all day. It imports no file of the rest: each file read costs a thirtieth
 * of a hello world, each function called a hundredth (docs/measurements.md).
 */
export function listNothing(words: readonly string[]): boolean {
  // These folders belong to root's guests.
  if (words.length !== 1 || words[0] !== "list" || process.getuid?.() !== 0) return false;
  try {
    return printIfIdle();
  } catch {
    // The policy denies bun:ffi the memory it needs (execmem); the rest of svirt handles that.
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
  // Without SELinux the file is missing, and there is no warning.
  if (enforce >= 0 && (Number(calls.read(enforce, bytes, 1)) !== 1 || bytes[0] === ZERO)) return false;
  for (const folder of FOLDERS) {
    const fd = calls.open(encoder.encode(`${folder}\0`), O_CLOEXEC);
    const place = fd < 0 ? calls.__errno_location() : null;
    if (place !== null && read.i32(place, 0) === ENOENT) continue;
    // Also for a folder that cannot be opened or listed.
    if (Number(calls.getdents64(fd, bytes, ROOM_BYTES)) !== DOTS_BYTES) return false;
  }
  const text = encoder.encode(EMPTY_LIST);
  // If nothing was written, the rest of svirt tries again and reports the reason. So short a text is written whole or not at
  // all.
  return Number(calls.write(1, text, text.length)) === text.length;
}
