import { ECONNRESET, ENOTSOCK, EOPNOTSUPP, EPIPE } from "../calls/errno.ts";
import { hostCallError } from "../calls/libc.ts";
import { poll } from "../calls/terminal.ts";
import { POLLOUT } from "../calls/wait-ready.ts";
import { type Accepted, writeSome } from "../sockets/socket-bytes.ts";
import { sendSome, writeNow } from "../sockets/write-at-once.ts";

/** Bytes accepted without a wait by a pipe with room. PIPE_BUF, pipe(7) */
const PIPE_BYTES = 4096;
/**
 * The first pause before a slow client is offered more, and the longest pause: each is twice as long as the
 * pause before.
 */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 100;

export type Write = (bytes: Uint8Array) => Promise<"gone" | "written">;

/**
 * Time for which a client that has ended its input may read nothing. Without an end sshd keeps the process
 * forever.
 */
const MOST_SILENCE_MS = 10_000;

/** Calls to write, and pauses between them. */
interface WriteCalls {
  readonly send: typeof sendSome;
  readonly writeNow: typeof writeNow;
  pause(ms: number): Promise<void>;
}

const CALLS: WriteCalls = {
  send: sendSome,
  writeNow,
  pause: async (ms) => await new Promise((resolve) => void setTimeout(resolve, ms)),
};

/**
 * Returns a function that writes to a socket, a pipe or a file by calls that never wait. It throws
 * "host-call". Between two calls it pauses: whenReady() would stop other work for up to 10 ms in each turn of
 * the event loop, and wake svirt a hundred times a second for a client that reads no more. A client that has
 * left, since its input has ended, is gone once it reads nothing for MOST_SILENCE_MS.
 */
export function writesTo(fd: number, hasLeft: () => boolean, calls = CALLS): Write {
  let isSocket = true;
  const offer = (bytes: Uint8Array): Accepted => {
    if (isSocket) {
      const sent = calls.send(fd, bytes);
      if (sent.errno !== ENOTSOCK) return sent;
      isSocket = false;
    }
    return writeToPipe(fd, bytes, calls);
  };
  return async (bytes) => {
    const pauses = new Pauses(calls, hasLeft);
    for (let at = 0; at < bytes.length; ) {
      const { count, errno } = offer(bytes.subarray(at));
      at += count;
      if (isGone(errno)) return "gone";
      if (count > 0) pauses.reset();
      else if (!(await pauses.wait())) return "gone";
    }
    return "written";
  };
}

/** Pauses of a write while the client takes nothing. */
class Pauses {
  readonly #calls: Pick<WriteCalls, "pause">;
  readonly #hasLeft: () => boolean;
  #pauseMs = FIRST_PAUSE_MS;
  /** Time for which a client that has left has taken nothing. */
  #silenceMs = 0;

  constructor(calls: Pick<WriteCalls, "pause">, hasLeft: () => boolean) {
    this.#calls = calls;
    this.#hasLeft = hasLeft;
  }

  /** Resets the pauses, since the client has taken bytes. */
  reset(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#silenceMs = 0;
  }

  /** Waits for the client. Returns false without a wait if it has left for too long. */
  async wait(): Promise<boolean> {
    if (this.#silenceMs >= MOST_SILENCE_MS) return false;
    await this.#calls.pause(this.#pauseMs);
    this.#silenceMs = this.#hasLeft() ? this.#silenceMs + this.#pauseMs : 0;
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    return true;
  }
}

/** Returns whether the client has closed its end. Throws "host-call" for another error. */
function isGone(errno: number | undefined): boolean {
  if (errno === EPIPE || errno === ECONNRESET) return true;
  if (errno !== undefined) throw hostCallError("write to standard output", errno);
  return false;
}

/**
 * Writes to a pipe or a file without a wait. An older kernel, and a file, get a part accepted by a pipe
 * unless another process fills it at this moment.
 */
function writeToPipe(fd: number, bytes: Uint8Array, calls: Pick<WriteCalls, "writeNow">): Accepted {
  const written = calls.writeNow(fd, bytes);
  if (written.count > 0 || (written.errno ?? EOPNOTSUPP) !== EOPNOTSUPP) return written;
  const [found = 0] = poll([{ fd, events: POLLOUT }], 0);
  return found === 0 ? { count: 0 } : writeSome(fd, bytes.subarray(0, PIPE_BYTES));
}
