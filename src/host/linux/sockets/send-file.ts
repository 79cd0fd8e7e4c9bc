import { ptr } from "bun:ffi";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";

/** bits/socket.h: level, type of message, and the flag against SIGPIPE. */
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
/** Size of struct cmsghdr with a descriptor, without and with padding. cmsg(3) */
const CONTROL_BYTES = 20;
const CONTROL_SPACE = 24;

/**
 * Sends text over a unix socket, with a descriptor of which the other end gets a copy. Throws "host-call".
 * sendmsg(2)
 */
export function sendFile(socket: number, text: string, fd: number): void {
  const bytes = new TextEncoder().encode(text);
  const vector = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)]);
  const control = new Uint8Array(CONTROL_SPACE);
  const view = new DataView(control.buffer);
  view.setBigUint64(0, BigInt(CONTROL_BYTES), true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(16, fd, true);
  // struct msghdr: name and its length, vector and its length, control and its length, flags.
  const message = new BigUint64Array([
    0n,
    0n,
    BigInt(ptr(vector)),
    1n,
    BigInt(ptr(control)),
    BigInt(CONTROL_SPACE),
    0n,
  ]);
  const sent = libc().sendmsg(socket, ptr(message), MSG_NOSIGNAL);
  if (Number(sent) !== bytes.length) throw hostCallError("pass a file to QEMU", readErrno());
}
