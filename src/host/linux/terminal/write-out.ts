import { EINTR, EPIPE, EWOULDBLOCK } from "../calls/errno.ts";
import { basicCalls, hasBasicCalls, hostCallError, readErrno } from "../calls/libc.ts";

const POLL_MS = 1;

/**
 * Writes all of a text to standard output or standard error before it returns, however slow the pipe. A
 * reader with a closed end (`svirt list | head -1`) is not an error. This is much quicker than
 * process.stdout, with streams in need of more time than all of `svirt list`. Throws "host-call" for a full
 * disk. write(2)
 */
export function writeOut(fd: 1 | 2, text: string): void {
  writeBytes(fd, new TextEncoder().encode(text));
}

/** Writes bytes like writeOut(). Returns false if the reader has closed its end. */
export function writeBytes(fd: 1 | 2, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const written = hasBasicCalls() ? writeSome(fd, bytes.subarray(at)) : writeSlowly(fd, bytes.subarray(at));
    if (written === "gone") return false;
    // Another process sharing the pipe has set it to non-blocking.
    if (written === 0) Bun.sleepSync(POLL_MS);
    at += written;
  }
  return true;
}

function writeSome(fd: number, bytes: Uint8Array): number | "gone" {
  const count = Number(basicCalls().write(fd, bytes, bytes.length));
  if (count >= 0) return count;
  const errno = readErrno();
  if (errno === EPIPE) return "gone";
  if (errno === EWOULDBLOCK || errno === EINTR) return 0;
  throw hostCallError(fd === 1 ? "write to standard output" : "write to standard error", errno);
}

/** Writes with node:fs, for a policy without execmem and therefore without bun:ffi. */
function writeSlowly(fd: number, bytes: Uint8Array): number | "gone" {
  try {
    return process.getBuiltinModule("node:fs").writeSync(fd, bytes);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EPIPE") return "gone";
    if (code === "EAGAIN" || code === "EINTR") return 0;
    throw error;
  }
}
