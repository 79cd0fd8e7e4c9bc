import type { ByteStream } from "../../channels.ts";
import { hasBasicCalls } from "../calls/libc.ts";
import { poll } from "../calls/terminal.ts";
import { shareLoop } from "../calls/wait-ready.ts";
import { type Write, writesTo } from "./write-caller.ts";

const [STDIN, STDOUT] = [0, 1];
/** bits/poll.h: the other side of a pipe or a socket has ended, whether or not bytes of it are unread. */
const [POLLHUP, POLLRDHUP] = [0x10, 0x2000];

/**
 * Implements Host.openCaller: neither a silent nor a slow client delays svirt's other work, nor a silent
 * guest the client. Neither takes a thread, and both leave the modes of descriptors to the sharing processes:
 * a process in front of svirt may read the socket of svirt's writes.
 */
export function openCaller(): ByteStream {
  shareLoop();
  let hasEnded = false;
  // The end of the input is read late or never: calls wait for the replies before them.
  const hasLeft = (): boolean => hasEnded || isHungUp(STDIN);
  const write = hasBasicCalls() ? writesTo(STDOUT, hasLeft) : writeStream();
  let state: "written" | "gone" = "written";
  return {
    async *read() {
      try {
        yield* readCaller();
      } finally {
        hasEnded = true;
      }
    },
    async write(bytes) {
      if (state !== "gone") state = await write(bytes);
    },
  };
}

function isHungUp(fd: number): boolean {
  const [found = 0] = poll([{ fd, events: POLLRDHUP }], 0);
  return (found & (POLLHUP | POLLRDHUP)) !== 0;
}

/**
 * Writes to standard output by a stream of bun, for a policy without execmem and therefore without bun:ffi.
 * It sets O_NONBLOCK for all sharing processes.
 */
function writeStream(): Write {
  const output = Bun.stdout.writer();
  return async (bytes) => {
    try {
      // Either may be a failing promise.
      await Promise.all([output.write(bytes), output.flush()]);
      return "written";
    } catch (error) {
      if (!isEnd(error)) throw await failure("write to standard output", error);
      return "gone";
    }
  };
}

/** Reads by a stream of bun, which leaves the descriptor's mode as it is. */
async function* readCaller(): AsyncGenerator<Uint8Array> {
  try {
    yield* Bun.stdin.stream();
  } catch (error) {
    if (!isEnd(error)) throw await failure("read standard input", error);
  }
}

function isEnd(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "ECONNRESET");
}

/** Returns the error of a call. Loaded here: node:fs is most of the cost of a short connection. */
async function failure(what: string, error: unknown): Promise<Error> {
  return (await import("../files/files.ts")).failedCall(what, error);
}
