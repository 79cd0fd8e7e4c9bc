import { dlopen, FFIType, read } from "bun:ffi";
import { SvirtError } from "../../errors.ts";

const { cstring, i32, i64, ptr, u32, u64 } = FFIType;

const SYMBOLS = {
  __errno_location: { args: [], returns: ptr },
  bind: { args: [i32, ptr, u32], returns: i32 },
  flock: { args: [i32, i32], returns: i32 },
  getxattr: { args: [ptr, ptr, ptr, u64], returns: i64 },
  listen: { args: [i32, i32], returns: i32 },
  removexattr: { args: [ptr, ptr], returns: i32 },
  setxattr: { args: [ptr, ptr, ptr, u64, i32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  strerror: { args: [i32], returns: cstring },
  syscall: { args: [i64, i64, i64, i64, i64], returns: i64 },
} as const;

type Libc = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];
let opened: Libc | undefined;

/** The C library, opened at first use: a call that only reads pays nothing for it. */
export function libc(): Libc {
  opened ??= dlopen("libc.so.6", SYMBOLS).symbols;
  return opened;
}

/** The errno of the call just made: nothing may stand between the two. errno(3) */
export function readErrno(): number {
  const place = libc().__errno_location();
  return place === null ? 0 : read.i32(place, 0);
}

/** A NUL-terminated string. Throws "usage" for a text that holds a NUL, which would name another file. */
export function cString(text: string): Uint8Array {
  if (text.includes("\0")) {
    throw new SvirtError(`Cannot use ${JSON.stringify(text)}: it holds a NUL character`, { kind: "usage" });
  }
  return new TextEncoder().encode(`${text}\0`);
}

/** What the call's errno says, in the C library's words. strerror(3) */
export function hostCallError(attempt: string, errno: number): SvirtError {
  return new SvirtError(`Cannot ${attempt}: ${libc().strerror(errno)} (errno ${errno})`, {
    kind: "host-call",
  });
}
