import { EINTR, EWOULDBLOCK } from "./errno.ts";
import { basicCalls, readErrno } from "./libc.ts";

/**
 * What a descriptor that does not wait has to read. An error is an end: a terminal whose other side is closed gives EIO.
 * read(2)
 */
export function readSome(fd: number, mostBytes: number): Uint8Array | "ended" | "later" {
  const bytes = new Uint8Array(mostBytes);
  const count = Number(basicCalls().read(fd, bytes, bytes.length));
  if (count > 0) return bytes.subarray(0, count);
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
