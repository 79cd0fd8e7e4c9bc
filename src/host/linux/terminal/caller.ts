import type { ByteStream } from "../../channels.ts";
import { ECONNRESET, ENOTSOCK, EOPNOTSUPP, EPIPE } from "../calls/errno.ts";
import { hasBasicCalls, hostCallError } from "../calls/libc.ts";
import { POLLOUT, shareLoop, whenReady } from "../calls/ready.ts";
import { poll } from "../calls/terminal.ts";
import { type Accepted, writeSome } from "../sockets/socket-bytes.ts";
import { sendSome, writeNow } from "../sockets/write-at-once.ts";

const STDOUT = 1;
/** Bytes that a pipe with room accepts without a wait. PIPE_BUF, pipe(7) */
const PIPE_BYTES = 4096;

/**
 * Implements Host.openCaller, so that neither a silent nor a slow client delays svirt's other work, nor a silent guest the client. Neither takes a
 * thread, and both leave the modes of descriptors to the processes that share them: one in front of svirt may read the socket to which svirt writes.
 */
export function openCaller(): ByteStream {
  shareLoop();
  const write = hasBasicCalls() ? writeCaller() : writeStream();
  let state: "written" | "gone" = "written";
  return {
    read: readCaller,
    async write(bytes) {
      if (state !== "gone") state = await write(bytes);
    },
  };
}

type Write = (bytes: Uint8Array) => Promise<"gone" | "written">;

/** Writes to standard output by calls that never wait. */
function writeCaller(): Write {
  let offer = sendSome;
  return async (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      const { count, errno } = offer(STDOUT, bytes.subarray(at));
      at += count;
      if (errno === ENOTSOCK && offer === sendSome) offer = writeToPipe;
      else if (isGone(errno)) return "gone";
      else if (count === 0) await whenReady(STDOUT, POLLOUT, Number.POSITIVE_INFINITY);
    }
    return "written";
  };
}

/** Returns whether the client has closed its end. Throws "host-call" for another error. */
function isGone(errno: number | undefined): boolean {
  if (errno === EPIPE || errno === ECONNRESET) return true;
  if (errno !== undefined) throw hostCallError("write to standard output", errno);
  return false;
}

/** Writes to a pipe or a file without a wait. A kernel that cannot, and a file, get a part that a pipe accepts unless another process fills it at this moment. */
function writeToPipe(fd: number, bytes: Uint8Array): Accepted {
  const written = writeNow(fd, bytes);
  if (written.count > 0 || (written.errno ?? EOPNOTSUPP) !== EOPNOTSUPP) return written;
  const [found = 0] = poll([{ fd, events: POLLOUT }], 0);
  return found === 0 ? { count: 0 } : writeSome(fd, bytes.subarray(0, PIPE_BYTES));
}

/** Writes to standard output by a stream of bun, for a policy that denies execmem and therefore bun:ffi. It sets O_NONBLOCK for all that share it. */
function writeStream(): Write {
  const output = Bun.stdout.writer();
  return async (bytes) => {
    try {
      // Either may be a promise that fails.
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
