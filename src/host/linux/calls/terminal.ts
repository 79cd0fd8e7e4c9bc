import { dlopen, FFIType } from "bun:ffi";
import { basicCalls } from "./libc.ts";

const { i32, ptr, u32, u64 } = FFIType;

/** What talking to a terminal takes: opened apart, since only `svirt console` does. */
const CALLS = {
  cfmakeraw: { args: [ptr], returns: FFIType.void },
  connect: { args: [i32, ptr, u32], returns: i32 },
  ioctl: { args: [i32, u64, ptr], returns: i32 },
  poll: { args: [ptr, u64, i32], returns: i32 },
  tcgetattr: { args: [i32, ptr], returns: i32 },
  tcsetattr: { args: [i32, i32, ptr], returns: i32 },
} as const;

/** More than any C library's struct termios has: 60 bytes in glibc. bits/termios-struct.h */
const TERMIOS_BYTES = 128;
/** termios.h: once what was written has gone out; what was typed already is kept. */
const TCSADRAIN = 1;
/** asm-generic/ioctls.h, and struct winsize of asm-generic/termios.h: four times 16 bits */
const TIOCGWINSZ = 0x5413n;
const TIOCSWINSZ = 0x5414n;
const WINSIZE_BYTES = 8;
/** struct pollfd: a descriptor, then 16 bits of what is wanted and 16 of what is there. poll(2) */
const POLLFD_BYTES = 8;
const WANTED_AT = 4;
const FOUND_AT = 6;

type Calls = ReturnType<typeof dlopen<typeof CALLS>>["symbols"];
let opened: Calls | undefined;

/** The calls of the C library for terminals and for waiting, opened at first use. */
export function terminalCalls(): Calls {
  // First, so that nothing is opened between a call and the look at its errno.
  basicCalls();
  opened ??= dlopen("libc.so.6", CALLS).symbols;
  return opened;
}

/**
 * Passes every key of a terminal on as it is typed, and gives what undoes that. Undefined for what is no terminal.
 * termios(3)
 */
export function makeRaw(fd: number): (() => void) | undefined {
  const { cfmakeraw, tcgetattr, tcsetattr } = terminalCalls();
  const before = new Uint8Array(TERMIOS_BYTES);
  if (tcgetattr(fd, before) !== 0) return undefined;
  const raw = before.slice();
  cfmakeraw(raw);
  tcsetattr(fd, TCSADRAIN, raw);
  // It fails when the terminal is gone, and then there is nothing to put back.
  return () => void tcsetattr(fd, TCSADRAIN, before);
}

/** Gives one terminal the size of another. What is no terminal has none. ioctl_tty(2) */
export function copySize(from: number, to: number): void {
  const size = new Uint8Array(WINSIZE_BYTES);
  const { ioctl } = terminalCalls();
  if (ioctl(from, TIOCGWINSZ, size) === 0) ioctl(to, TIOCSWINSZ, size);
}

/** Something that may happen to a descriptor. */
export interface Awaited {
  readonly fd: number;
  /** POLLIN, POLLOUT */
  readonly events: number;
}

/** Waits until one of them happens, a signal comes or time is up; gives what happened to each. poll(2) */
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
