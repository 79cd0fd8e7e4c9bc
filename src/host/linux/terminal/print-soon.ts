import { write } from "node:fs";
import { sleep } from "../calls/wait-ready.ts";
import { failedCall } from "../files/files.ts";

const STDOUT = 1;
/** Delay before another attempt if a process that shares the descriptor has set it to non-blocking. */
const RETRY_MS = 5;

/**
 * Writes a text to standard output on a thread of bun. Returns false if the reader has closed its end. Throws
 * "host-call".
 */
export async function printSoon(text: string): Promise<boolean> {
  return await writeAll(new TextEncoder().encode(text));
}

async function writeAll(bytes: Uint8Array): Promise<boolean> {
  for (let at = 0; at < bytes.length; ) {
    const from = at;
    const count = await attempt("write to standard output", (done) =>
      write(STDOUT, bytes, from, bytes.length - from, null, done),
    );
    if (count === "gone") return false;
    at += count;
  }
  return true;
}

type Done = (error: NodeJS.ErrnoException | null, count: number) => void;

/**
 * Returns the count of a call, or "gone" if the client has closed. Repeats a call that would block or was
 * interrupted.
 */
async function attempt(what: string, call: (done: Done) => void): Promise<number | "gone"> {
  for (;;) {
    const { count, error } = await new Promise<{ error: NodeJS.ErrnoException | null; count: number }>(
      (resolve) => call((failure, done) => resolve({ error: failure, count: done })),
    );
    const code = error?.code;
    if (error === null || error === undefined) return count;
    if (code === "EPIPE" || code === "ECONNRESET") return "gone";
    if (code !== "EAGAIN" && code !== "EINTR") throw failedCall(what, error);
    await sleep(RETRY_MS);
  }
}
