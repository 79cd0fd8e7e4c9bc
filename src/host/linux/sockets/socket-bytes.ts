import { EINTR, EWOULDBLOCK } from "../calls/errno.ts";
import { basicCalls, readErrno } from "../calls/libc.ts";

/**
 * Reads what a descriptor that does not wait has, into the bytes: how many there were. An error is an end: a terminal whose
 * other side is closed gives EIO. read(2)
 */
export function readSome(fd: number, bytes: Uint8Array): number | "ended" | "later" {
  const count = Number(basicCalls().read(fd, bytes, bytes.length));
  if (count > 0) return count;
  if (count === 0) return "ended";
  return isLater(readErrno()) ? "later" : "ended";
}

/** How many of the bytes a descriptor that does not wait has taken, or the errno that says why it never will. write(2) */
export function writeSome(
  fd: number,
  bytes: Uint8Array,
): { readonly count: number; readonly errno?: number } {
  const count = Number(basicCalls().write(fd, bytes, bytes.length));
  if (count >= 0) return { count };
  const errno = readErrno();
  return isLater(errno) ? { count: 0 } : { count: 0, errno };
}

function isLater(errno: number): boolean {
  return errno === EWOULDBLOCK || errno === EINTR;
}
