import { dlopen, FFIType } from "bun:ffi";
import { basicCalls } from "./libc.ts";

const { i32, ptr, u32, u64 } = FFIType;

/** Functions for terminals, connections and poll(2). Opened separately, because each symbol costs time. */
const CALLS = {
  cfmakeraw: { args: [ptr], returns: FFIType.void },
  connect: { args: [i32, ptr, u32], returns: i32 },
  ioctl: { args: [i32, u64, ptr], returns: i32 },
  poll: { args: [ptr, u64, i32], returns: i32 },
  tcgetattr: { args: [i32, ptr], returns: i32 },
  tcsetattr: { args: [i32, i32, ptr], returns: i32 },
} as const;

/** Larger than any C library's struct termios: 60 bytes in glibc. bits/termios-struct.h */
const TERMIOS_BYTES = 128;
/** termios.h: changes the mode after pending output is sent, and keeps typed input. */
const TCSADRAIN = 1;
/** asm-generic/ioctls.h, and struct winsize of asm-generic/termios.h: four times 16 bits */
const TIOCGWINSZ = 0x5413n;
const TIOCSWINSZ = 0x5414n;
const WINSIZE_BYTES = 8;
/** struct pollfd: descriptor, 16 bits of requested events, 16 bits of returned events. poll(2) */
const POLLFD_BYTES = 8;
const WANTED_AT = 4;
const FOUND_AT = 6;

type Calls = ReturnType<typeof dlopen<typeof CALLS>>["symbols"];
let opened: Calls | undefined;

/** Returns the C library functions for terminals and for waiting; opens them at first use. */
export function terminalCalls(): Calls {
  // Opened first, so that no dlopen() comes between a call and readErrno().
  basicCalls();
  opened ??= dlopen("libc.so.6", CALLS).symbols;
  return opened;
}

/**
 * Switches a terminal to raw mode and returns the function that restores it. Returns undefined if the
 * descriptor is not a terminal. termios(3)
 */
export function makeRaw(fd: number): (() => void) | undefined {
  const { cfmakeraw, tcgetattr, tcsetattr } = terminalCalls();
  const before = new Uint8Array(TERMIOS_BYTES);
  if (tcgetattr(fd, before) !== 0) return undefined;
  const raw = before.slice();
  cfmakeraw(raw);
  tcsetattr(fd, TCSADRAIN, raw);
  // The call fails if the terminal no longer exists; then there is no mode to restore.
  return () => void tcsetattr(fd, TCSADRAIN, before);
}

/** Copies the size of a terminal to another. Has no effect if `from` is not a terminal. ioctl_tty(2) */
export function copySize(from: number, to: number): void {
  const size = new Uint8Array(WINSIZE_BYTES);
  const { ioctl } = terminalCalls();
  if (ioctl(from, TIOCGWINSZ, size) === 0) ioctl(to, TIOCSWINSZ, size);
}

/** Events to wait for on a descriptor. */
export interface Awaited {
  readonly fd: number;
  /** POLLIN, POLLOUT */
  readonly events: number;
}

/** Waits for an event, a signal or the timeout. Returns the events of each descriptor. poll(2) */
export function poll(awaited: readonly Awaited[], timeoutMs: number): readonly number[] {
  const bytes = new Uint8Array(awaited.length * POLLFD_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [at, { events, fd }] of awaited.entries()) {
    view.setInt32(at * POLLFD_BYTES, fd, true);
    view.setInt16(at * POLLFD_BYTES + WANTED_AT, events, true);
  }
  terminalCalls().poll(bytes, BigInt(awaited.length), timeoutMs);
  return awaited.map((_, at) => view.getInt16(at * POLLFD_BYTES + FOUND_AT, true));
}
