import { closeSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { PassedPeer } from "../../../plan/facts/launch-spec.ts";
import { withUser } from "../calls/as-user.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { terminalCalls } from "../calls/terminal.ts";
import { withFile } from "../files/file-id.ts";
import { ADDRESS_BYTES, formatAddress, makeSocket } from "./listen.ts";

/** asm-generic/socket.h */
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
/** Size of struct timeval: seconds and microseconds, eight bytes each. */
const TIMEVAL_BYTES = 16;
/** Longest wait for a program with a full queue of connections. */
const TIMEOUT_S = 10;

/**
 * Connects to the inspected socket, as the guest's user: the other program sees this user (SO_PEERCRED), not
 * root. Returns a descriptor for QEMU. Throws "host-call", "denied". unix(7)
 */
export function connectPeer(
  { context, socket }: Pick<PassedPeer, "context" | "socket">,
  uid: number,
): number {
  const fd = makeSocket(context);
  try {
    limitSending(fd, TIMEOUT_S);
    withFile(socket, (opened) =>
      withUser(uid, () => connectTo(fd, { address: formatAddress(opened), said: socket.path })),
    );
    limitSending(fd, 0);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function connectTo(
  fd: number,
  { address, said }: { readonly address: Uint8Array; readonly said: string },
): void {
  if (terminalCalls().connect(fd, address, ADDRESS_BYTES) === 0) return;
  const { message } = hostCallError(`connect the guest to ${said}`, readErrno());
  throw new SvirtError(message, {
    kind: "host-call",
    remedy:
      "Start the program that listens there, in an administrator's domain (docs/policy.md), with its socket " +
      "in a folder for images, not in /run.",
  });
}

/** Limits the time of connecting and of sending, in seconds; 0: no limit. Throws "host-call". socket(7) */
export function limitSending(fd: number, seconds: number): void {
  const time = new Uint8Array(TIMEVAL_BYTES);
  new DataView(time.buffer).setBigInt64(0, BigInt(seconds), true);
  if (libc().setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, time, time.length) !== 0)
    throw hostCallError("set a socket's timeout", readErrno());
}
