import { dlopen, FFIType, ptr } from "bun:ffi";
import { basicCalls } from "../calls/libc.ts";
import { type Accepted, acceptedOf } from "./socket-bytes.ts";

const LIBC = "libc.so.6";
const { i32, i64, i64_fast, ptr: pointer, u64 } = FFIType;

/** Opened separately, because each symbol costs time. */
const SEND = { send: { args: [i32, pointer, u64, i32], returns: i64_fast } } as const;
const WRITE = { pwritev2: { args: [i32, pointer, i32, i64, i32], returns: i64_fast } } as const;

/** bits/socket.h: MSG_DONTWAIT, MSG_NOSIGNAL */
const WITHOUT_WAITING = 0x40 | 0x4000;
/** linux/fs.h */
const RWF_NOWAIT = 8;
/** Offset of pwritev2(2) for the current offset. */
const HERE = -1n;

let send: ReturnType<typeof dlopen<typeof SEND>>["symbols"]["send"] | undefined;
let pwritev2: ReturnType<typeof dlopen<typeof WRITE>>["symbols"]["pwritev2"] | undefined;

/**
 * Writes to a socket as writeSome() does, also to a socket used by others as blocking. Fails with ENOTSOCK
 * for another descriptor. send(2)
 */
export function sendSome(fd: number, bytes: Uint8Array): Accepted {
  // Opened first, so that no dlopen() comes between a call and readErrno().
  basicCalls();
  send ??= dlopen(LIBC, SEND).symbols.send;
  return acceptedOf(Number(send(fd, bytes, bytes.length, WITHOUT_WAITING)));
}

/**
 * Writes to a pipe as writeSome() does, also to a pipe used by others as blocking. Fails with EOPNOTSUPP
 * before Linux 6.4, and for a spliced pipe; a file may accept nothing for ever. pwritev2(2)
 */
export function writeNow(fd: number, bytes: Uint8Array): Accepted {
  basicCalls();
  pwritev2 ??= dlopen(LIBC, WRITE).symbols.pwritev2;
  // struct iovec: address and length
  const part = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)]);
  return acceptedOf(Number(pwritev2(fd, part, 1, HERE, RWF_NOWAIT)));
}
