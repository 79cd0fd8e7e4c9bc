import { writeSync } from "node:fs";

const POLL_MS = 1;

/**
 * Writes all of a text to standard output or standard error before it returns, however slowly a pipe is read. A reader
 * that has gone (`svirt list | head -1`) has had enough: that is no error. Much quicker than process.stdout, whose
 * streams take longer to set up than all of `svirt list`. Throws "host-call" for a full disk. write(2)
 */
export function writeOut(fd: 1 | 2, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") return;
      if (code !== "EAGAIN" && code !== "EINTR") throw error;
      // Whoever shares the pipe has made it non-blocking: an SSH server does.
      Bun.sleepSync(POLL_MS);
    }
  }
}
