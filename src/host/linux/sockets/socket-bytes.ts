import { EINTR, EWOULDBLOCK } from "../calls/errno.ts";
import { basicCalls, readErrno } from "../calls/libc.ts";

/**
 * Reads the available bytes of a non-blocking descriptor, and returns their number. An error counts as the
 * end: a terminal with a closed other side returns EIO. read(2)
 */
export function readSome(fd: number, bytes: Uint8Array): number | "ended" | "later" {
  const count = Number(basicCalls().read(fd, bytes, bytes.length));
  if (count > 0) return count;
  if (count === 0) return "ended";
  return isLater(readErrno()) ? "later" : "ended";
}

/** Number of bytes accepted by a descriptor, possibly none, or the errno of a permanent failure. */
export interface Accepted {
  readonly count: number;
  readonly errno?: number;
}

/** Writes to a non-blocking descriptor. write(2) */
export function writeSome(fd: number, bytes: Uint8Array): Accepted {
  return acceptedOf(Number(basicCalls().write(fd, bytes, bytes.length)));
}

/** Interprets the result of a call that writes. No other call may have come in between. */
export function acceptedOf(count: number): Accepted {
  if (count >= 0) return { count };
  const errno = readErrno();
  return isLater(errno) ? { count: 0 } : { count: 0, errno };
}

function isLater(errno: number): boolean {
  return errno === EWOULDBLOCK || errno === EINTR;
}
