import { dlopen, FFIType, read } from "bun:ffi";
import { GIVE_LABEL, SvirtError } from "../../../errors.ts";
import { callFacts } from "./errno-remedy.ts";
import { nativeBytes } from "./native-name.ts";

const LIBC = "libc.so.6";
/** Message of bun:ffi in a process that may not execute memory that it has written. */
const WITHOUT_JIT = "bun:ffi requires the JIT";
const { cstring, i32, i64, i64_fast, ptr, u32, u64 } = FFIType;

/** Functions for reading, writing and errno. Opened separately, because each symbol costs time. */
const BASIC = {
  __errno_location: { args: [], returns: ptr },
  close: { args: [i32], returns: i32 },
  getdents64: { args: [i32, ptr, u64], returns: i64_fast },
  open: { args: [ptr, i32, u32], returns: i32 },
  read: { args: [i32, ptr, u64], returns: i64_fast },
  write: { args: [i32, ptr, u64], returns: i64_fast },
} as const;

const OTHERS = {
  bind: { args: [i32, ptr, u32], returns: i32 },
  flock: { args: [i32, i32], returns: i32 },
  getxattr: { args: [ptr, ptr, ptr, u64], returns: i64_fast },
  linkat: { args: [i32, ptr, i32, ptr, i32], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  listxattr: { args: [ptr, ptr, u64], returns: i64_fast },
  openat: { args: [i32, ptr, i32, u32], returns: i32 },
  pipe2: { args: [ptr, i32], returns: i32 },
  removexattr: { args: [ptr, ptr], returns: i32 },
  renameat2: { args: [i32, ptr, i32, ptr, u32], returns: i32 },
  sendmsg: { args: [i32, ptr, i32], returns: i64_fast },
  setsockopt: { args: [i32, i32, i32, ptr, u32], returns: i32 },
  setxattr: { args: [ptr, ptr, ptr, u64, i32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  statx: { args: [i32, ptr, i32, u32, ptr], returns: i32 },
  strerror: { args: [i32], returns: cstring },
  syscall: { args: [i64, i64, i64, i64, i64], returns: i64 },
  waitid: { args: [i32, u32, ptr, i32], returns: i32 },
} as const;

/** Calls for files that are open for reading, which only commands on many files make. */
const OPEN_FILES = {
  fgetxattr: { args: [i32, ptr, ptr, u64], returns: i64_fast },
  flistxattr: { args: [i32, ptr, u64], returns: i64_fast },
  fremovexattr: { args: [i32, ptr], returns: i32 },
  fsetxattr: { args: [i32, ptr, ptr, u64, i32], returns: i32 },
} as const;

type Basic = ReturnType<typeof dlopen<typeof BASIC>>["symbols"];
type Others = ReturnType<typeof dlopen<typeof OTHERS>>["symbols"];
type OpenFiles = ReturnType<typeof dlopen<typeof OPEN_FILES>>["symbols"];
let basic: Basic | undefined;
let others: Others | undefined;
let openFiles: OpenFiles | undefined;

/** Returns the few C library functions that nearly every command calls; opens them at first use. */
export function basicCalls(): Basic {
  basic ??= orWithoutJit(() => dlopen(LIBC, BASIC).symbols);
  return basic;
}

/**
 * Opens functions of the C library. Throws "no-access" if SELinux denies the process execmem, which bun:ffi
 * needs: svirt runs in its caller's domain while its executable has no label.
 */
function orWithoutJit<Symbols>(open: () => Symbols): Symbols {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof Error && error.message === WITHOUT_JIT)) throw error;
    throw new SvirtError("Cannot call the C library: SELinux denies this process execmem", {
      kind: "no-access",
      remedy: GIVE_LABEL,
      cause: error,
    });
  }
}

/**
 * Returns false if the process is not permitted to create code at run time, which bun:ffi does (SELinux:
 * execmem).
 */
export function hasBasicCalls(): boolean {
  try {
    return basicCalls() !== undefined;
  } catch {
    return false;
  }
}

/** Returns the other C library functions; opens them at first use, so reading commands pay nothing. */
export function libc(): Others {
  // Opened first, so that no dlopen() comes between a call and readErrno().
  basicCalls();
  others ??= orWithoutJit(() => dlopen(LIBC, OTHERS).symbols);
  return others;
}

/** Returns the calls for files that are open for reading; opens them at first use. */
export function openFileCalls(): OpenFiles {
  basicCalls();
  openFiles ??= orWithoutJit(() => dlopen(LIBC, OPEN_FILES).symbols);
  return openFiles;
}

/** Returns the errno of the last call. No other call may come in between. errno(3) */
export function readErrno(): number {
  const place = basicCalls().__errno_location();
  return place === null ? 0 : read.i32(place, 0);
}

/**
 * Returns a NUL-terminated string. Throws "usage" for a text with a NUL, since it would name another file.
 */
export function cString(text: string): Uint8Array {
  if (text.includes("\0")) refuseNul(text);
  return nativeBytes(`${text}\0`);
}

function refuseNul(text: string): never {
  throw new SvirtError(`Cannot use ${JSON.stringify(text)}: it contains a NUL character`, {
    kind: "usage",
    remedy: "Remove that character: file names cannot contain it.",
  });
}

/** Returns the error of a failed call with the C library's message: "host-call", "no-access". strerror(3) */
export function hostCallError(attempt: string, errno: number): SvirtError {
  return new SvirtError(`Cannot ${attempt}: ${libc().strerror(errno)} (errno ${errno})`, callFacts(errno));
}
