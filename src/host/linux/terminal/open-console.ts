import { closeSync, constants } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { DataStream, Piece } from "../../channels.ts";
import type { FileFacts } from "../../files.ts";
import type { Host } from "../../host.ts";
import { makeRaw } from "../calls/terminal.ts";
import { sleep } from "../calls/wait-ready.ts";
import { openSame, withFile } from "../files/file-id.ts";
import { orThrow } from "../files/files.ts";
import { connectUnix } from "../sockets/listen.ts";
import { readSome, writeSome } from "../sockets/socket-bytes.ts";

const CHUNK_BYTES = 65_536;
/**
 * Pauses between two looks at a guest, which grow while it is silent. A wait in poll(2) would delay the other
 * streams of svirt.
 */
const [SHORTEST_MS, LONGEST_MS] = [2, 40];

/**
 * Time in which a guest must take some of the data. A vanished client is noticed only once svirt reads on.
 */
const TAKING_MS = 10_000;

/** Pause between two looks at whether another process asks for the console. */
const LOOK_MS = 100;

/** Implements Host.openConsole. */
export function openConsole(...[to, how]: Parameters<Host["openConsole"]>): DataStream {
  return new ConsoleStream(connectConsole(to), to.id.path, how);
}

/**
 * Opens a terminal or socket of a guest without waiting. The caller closes the descriptor. Throws
 * "host-call".
 */
export function connectConsole({ id, type }: FileFacts): number {
  return orThrow(`connect to ${id.path}`, () => {
    if (type === "socket") return withFile(id, connectUnix);
    const fd = openSame(id, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    // Raw mode, as QEMU sets it: after a change by an earlier user the terminal would echo the guest's
    // output.
    makeRaw(fd);
    return fd;
  });
}

class ConsoleStream implements DataStream {
  readonly #fd: number;
  readonly #path: string;
  readonly #looks: Timer;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #isOver = false;
  #pauseMs = SHORTEST_MS;

  constructor(fd: number, path: string, { isAskedFor, onAsked }: Parameters<Host["openConsole"]>[1]) {
    this.#fd = fd;
    this.#path = path;
    // A client without reads must not keep the console.
    this.#looks = setInterval(() => {
      if (isAskedFor()) onAsked();
    }, LOOK_MS);
  }

  async next(mostBytes: number): Promise<Uint8Array | undefined> {
    while (!this.#isOver) {
      const count = readSome(this.#fd, this.#chunk.subarray(0, mostBytes));
      if (count === "ended") break;
      if (count !== "later") {
        this.#pauseMs = SHORTEST_MS;
        return this.#chunk.slice(0, count);
      }
      await this.#pause();
    }
    return undefined;
  }

  async put(piece: Piece): Promise<void> {
    // A terminal has no holes.
    if (!(piece instanceof Uint8Array)) return;
    let takenMs = performance.now();
    for (let at = 0; at < piece.length && !this.#isOver; ) {
      const { count, errno } = writeSome(this.#fd, piece.subarray(at));
      // The end of the guest's output is the stream's end.
      if (errno !== undefined) return;
      at += count;
      this.#pauseMs = SHORTEST_MS;
      if (count > 0) takenMs = performance.now();
      else if (performance.now() - takenMs > TAKING_MS) throw readsNothing(this.#path);
      else await sleep(LONGEST_MS);
    }
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#looks);
    closeSync(this.#fd);
  }

  async #pause(): Promise<void> {
    await sleep(this.#pauseMs);
    this.#pauseMs = Math.min(LONGEST_MS, this.#pauseMs * 2);
  }
}

function readsNothing(path: string): SvirtError {
  return new SvirtError(`Cannot write to ${path}: the guest has read nothing for ${TAKING_MS / 1000} s`, {
    kind: "timeout",
    remedy: "See the guest's state: svirt domstate DOMAIN",
  });
}
