import { dlopen, FFIType } from "bun:ffi";
import { basicCalls } from "../calls/libc.ts";
import { type Accepted, acceptedOf } from "./socket-bytes.ts";

const { i32, i64_fast, ptr, u64 } = FFIType;

/** Opened separately, because each symbol costs time. */
const CALLS = { send: { args: [i32, ptr, u64, i32], returns: i64_fast } } as const;

/** bits/socket.h: MSG_DONTWAIT, MSG_NOSIGNAL */
const WITHOUT_WAITING = 0x40 | 0x4000;

let opened: ReturnType<typeof dlopen<typeof CALLS>>["symbols"] | undefined;

/** Writes to a socket as writeSome() does, also to one that others use as blocking. Fails with ENOTSOCK for another descriptor. send(2) */
export function sendSome(fd: number, bytes: Uint8Array): Accepted {
  // Opened first, so that no dlopen() comes between a call and readErrno().
  basicCalls();
  opened ??= dlopen("libc.so.6", CALLS).symbols;
  return acceptedOf(Number(opened.send(fd, bytes, bytes.length, WITHOUT_WAITING)));
}
