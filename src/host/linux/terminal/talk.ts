import { closeSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { TalkEnd } from "../../channels.ts";
import type { Host } from "../../host.ts";
import { type Awaited, copySize, makeRaw, poll } from "../calls/terminal.ts";
import { connectTcp } from "../sockets/connect-tcp.ts";
import { readSome, writeSome } from "../sockets/socket-bytes.ts";
import { connectConsole } from "./open-console.ts";
import { writeBytes } from "./write-out.ts";

/** No byte of the input has this value. */
const NO_BYTE = -1;
const STDIN = 0;
const STDOUT = 1;
/** asm-generic/poll.h */
const POLLIN = 1;
const POLLOUT = 4;
const CHUNK_BYTES = 4096;
/** Limit on input that waits for a guest. A terminal is read beyond it, since its user may want to leave. */
const MOST_WAITING_BYTES = 65_536;
/**
 * Longest delay of a signal, and pause between two looks at whether another process asks for the terminal.
 */
const LOOK_UP_MS = 100;
/**
 * Time for a guest's answer after the input has ended: QEMU checks once a second whether a terminal is in
 * use.
 */
const LINGER_MS = 2000;
const ENDING_SIGNALS = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;

/** Implements Host.talk. */
export async function talk(...[to, how]: Parameters<Host["talk"]>): Promise<TalkEnd> {
  const { isAskedFor = () => false, leaveBy = NO_BYTE, onOpen } = how;
  const guest = "port" in to ? connectTcp(to) : connectConsole(to);
  try {
    onOpen();
    return await new Talk(guest, leaveBy, isAskedFor).run();
  } finally {
    closeSync(guest);
  }
}

class Talk {
  readonly #guest: number;
  readonly #leaveBy: number;
  readonly #isAskedFor: () => boolean;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  /** Input not read by the guest yet. */
  #waiting: Uint8Array = new Uint8Array();
  #inputEndedMs: number | undefined;
  #hasLeft = false;
  #hungUp = false;
  #signal: string | undefined;
  #lookMs = 0;

  constructor(guest: number, leaveBy: number, isAskedFor: () => boolean) {
    this.#guest = guest;
    this.#leaveBy = leaveBy;
    this.#isAskedFor = isAskedFor;
  }

  async run(): Promise<TalkEnd> {
    const resize = (): void => copySize(STDIN, this.#guest);
    const end = (signal: string): void => {
      this.#signal = signal;
    };
    for (const name of ENDING_SIGNALS) process.on(name, end);
    process.on("SIGWINCH", resize);
    // The handlers are installed before: otherwise a signal could end svirt without restoring the terminal.
    const restore = makeRaw(STDIN);
    try {
      resize();
      return await this.#pump(restore !== undefined);
    } finally {
      restore?.();
      process.off("SIGWINCH", resize);
      for (const name of ENDING_SIGNALS) process.off(name, end);
    }
  }

  async #pump(isTerminal: boolean): Promise<TalkEnd> {
    for (;;) {
      this.#pass(isTerminal);
      if (this.#hungUp) return "hung-up";
      if (this.#hasLeft && this.#waiting.length === 0) return "left";
      if (this.#lingerMs() <= 0) return "input-ended";
      if (this.#isAsked()) return "asked";
      // Lets signal handlers run.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#signal === undefined) continue;
      throw new SvirtError(`Disconnected from the guest's console by ${this.#signal}`, {
        kind: "failed",
        remedy: "Connect again: svirt console DOMAIN",
      });
    }
  }

  /** Looks at most once in a while: data may arrive all the time. */
  #isAsked(): boolean {
    if (performance.now() < this.#lookMs) return false;
    this.#lookMs = performance.now() + LOOK_UP_MS;
    return this.#isAskedFor();
  }

  #lingerMs(): number {
    if (this.#inputEndedMs === undefined) return Number.POSITIVE_INFINITY;
    return this.#inputEndedMs + LINGER_MS - performance.now();
  }

  /** Waits for data and passes it on. */
  #pass(isTerminal: boolean): void {
    const isRead =
      !this.#hasLeft &&
      this.#inputEndedMs === undefined &&
      (isTerminal || this.#waiting.length < MOST_WAITING_BYTES);
    const awaited: Awaited[] = [
      { fd: this.#guest, events: POLLIN | (this.#waiting.length > 0 ? POLLOUT : 0) },
      ...(isRead ? [{ fd: STDIN, events: POLLIN }] : []),
    ];
    const waitMs = Math.max(0, Math.min(LOOK_UP_MS, this.#lingerMs()));
    const [guest = 0, input = 0] = poll(awaited, Math.ceil(waitMs));
    if (input !== 0) this.#takeInput();
    if ((guest & POLLOUT) !== 0) this.#give();
    if ((guest & ~POLLOUT) !== 0) this.#show();
    // A guest without reads must not delay the user.
    if (this.#hasLeft) this.#waiting = new Uint8Array();
  }

  #takeInput(): void {
    const count = readSome(STDIN, this.#chunk);
    if (count === "later") return;
    if (count === "ended") {
      this.#inputEndedMs = performance.now();
      return;
    }
    const bytes = this.#chunk.subarray(0, count);
    const at = bytes.indexOf(this.#leaveBy);
    this.#waiting = Buffer.concat([this.#waiting, at === -1 ? bytes : bytes.subarray(0, at)]);
    if (at === -1) return;
    this.#give();
    this.#hasLeft = true;
  }

  #give(): void {
    const { count, errno } = writeSome(this.#guest, this.#waiting);
    this.#waiting = this.#waiting.subarray(count);
    if (errno !== undefined) this.#hungUp = true;
  }

  #show(): void {
    const count = readSome(this.#guest, this.#chunk);
    if (count === "later") return;
    if (count === "ended") this.#hungUp = true;
    // The reader of the output has closed its end: svirt console vm1 | head
    else if (!writeBytes(STDOUT, this.#chunk.subarray(0, count))) this.#hasLeft = true;
  }
}
