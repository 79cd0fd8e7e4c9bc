import { closeSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import { type Line, LineBuffer } from "../../../qemu/monitor/line-buffer.ts";
import type { LineChannel } from "../../channels.ts";
import type { FileFacts } from "../../files.ts";
import { hostCallError } from "../calls/libc.ts";
import { POLLIN, POLLOUT, whenReady } from "../calls/wait-ready.ts";
import { withFile } from "../files/file-id.ts";
import { connectUnix } from "./listen.ts";
import { readSome, writeSome } from "./socket-bytes.ts";

const CHUNK_BYTES = 65_536;

/** Implements Host.connectLines for the inspected socket. Throws "host-call", "denied". */
export function connectLines({ id }: FileFacts): LineChannel {
  return new Channel(withFile(id, connectUnix), id.path);
}

class Channel implements LineChannel {
  readonly #fd: number;
  readonly #path: string;
  readonly #buffer = new LineBuffer();
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  /** Received lines; lines from `#next` on have not been returned yet. */
  #lines: readonly Line[] = [];
  #next = 0;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  async send(bytes: Uint8Array, timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    for (let at = 0; at < bytes.length; ) {
      const { count, errno } = writeSome(this.#fd, bytes.subarray(at));
      if (errno !== undefined) throw hostCallError(`write to ${this.#path}`, errno);
      at += count;
      if (count === 0 && !(await whenReady(this.#fd, POLLOUT, deadlineMs))) throw this.#hangs();
    }
  }

  async readLine(timeoutMs: number, mostBytes: number): Promise<Line | undefined> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const line = this.#lines[this.#next];
      this.#next += 1;
      if (line !== undefined) return this.#noLonger(line, mostBytes);
      if (!(await whenReady(this.#fd, POLLIN, deadlineMs))) return undefined;
      this.#take();
      this.#noLonger({ bytes: this.#buffer.pendingBytes }, mostBytes);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #take(): void {
    const count = readSome(this.#fd, this.#chunk);
    if (count === "later") return;
    if (count !== "ended") {
      // All earlier lines were returned.
      this.#lines = this.#buffer.add(this.#chunk.subarray(0, count));
      this.#next = 0;
      return;
    }
    throw new SvirtError(`Cannot read from ${this.#path}: the guest closed the connection`, {
      kind: "failed",
      remedy: "See the guest's state: svirt list --all",
    });
  }

  #noLonger<Measured extends { readonly bytes: number }>(line: Measured, mostBytes: number): Measured {
    if (line.bytes <= mostBytes) return line;
    throw new SvirtError(`Cannot read from ${this.#path}: a line has more than ${mostBytes} bytes`, {
      kind: "failed",
      remedy: "Request less data in one command: the answer comes from a program in the guest.",
    });
  }

  #hangs(): SvirtError {
    return new SvirtError(`Cannot write to ${this.#path}: the receiver does not read`, {
      kind: "timeout",
      remedy: "Run svirt audit: QEMU may hang.",
    });
  }
}
