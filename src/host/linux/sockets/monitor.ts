import { closeSync } from "node:fs";
import { asSvirtError, HEED_QEMU, SEE_QEMU_LOG, SvirtError } from "../../../errors.ts";
import type { Display } from "../../../plan/facts/display.ts";
import type { PassedFile, PluggedPeer } from "../../../plan/facts/launch-spec.ts";
import type { PassedTap } from "../../../plan/facts/tap.ts";
import { joinLine, LineBuffer } from "../../../qemu/monitor/line-buffer.ts";
import { formatQmpCommand, notQmp, parseQmpLine, type QmpMessage } from "../../../qemu/monitor/qmp.ts";
import { MOST_MESSAGE_BYTES, mostAnswerBytes } from "../../../qemu/monitor/qmp-size-limits.ts";
import type { GuestPipe, PipeOptions } from "../../channels.ts";
import type { Monitor } from "../../monitor.ts";
import { POLLIN, POLLOUT, sleep, whenReady } from "../calls/wait-ready.ts";
import { openPassed } from "../content/open-passed.ts";
import { openTap } from "../network/open-tap.ts";
import { connectPeer } from "./connect-peer.ts";
import { makeGuestPipe } from "./guest-pipe.ts";
import { tryConnectUnix } from "./listen.ts";
import { listenTcp } from "./listen-tcp.ts";
import { sendFile } from "./send-file.ts";
import { readSome, writeSome } from "./socket-bytes.ts";

type Answer = Extract<QmpMessage, { is: "return" | "error" }>;

const CHUNK_BYTES = 65_536;
/** More devices than a guest removes while svirt talks to it. */
const MOST_REMOVALS = 1000;
/** QEMU's reports of devices to be removed. qemu.git qapi/qdev.json */
const REMOVALS: ReadonlyMap<string, "deleted" | "rejected"> = new Map([
  ["DEVICE_DELETED", "deleted"],
  ["DEVICE_UNPLUG_GUEST_ERROR", "rejected"],
]);
/** Pause before the next attempt if QEMU's queue of connections is full. */
const CONNECT_PAUSE_MS = 20;

/**
 * Implements Host.connectMonitor: connects, waits for the greeting and ends negotiation. The socket listens
 * before QEMU starts, so this waits for QEMU without polling; if QEMU ends, the kernel closes the connection.
 */
export async function connectMonitor(path: string, timeoutMs: number): Promise<Monitor> {
  const conversation = new Conversation(path, timeoutMs);
  try {
    await conversation.open();
    return conversation;
  } catch (error) {
    conversation.close();
    throw error;
  }
}

/** Conversations run at the same time: each wait goes through ready.ts. */
class Conversation implements Monitor {
  readonly #path: string;
  #fd: number | undefined;
  #allowedMs = 0;
  /** Deadline of the whole conversation: a slow QEMU gets no more time than a silent QEMU. */
  #deadlineMs = 0;
  readonly #lines = new LineBuffer();
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #nextId = 1;
  #isGreeted = false;
  /** Commands without an answer yet, and their answers: a compromised QEMU must not fill svirt's memory. */
  readonly #answers = new Map<number, Answer | undefined>();
  /** Reports of QEMU about devices to be removed, by their names. */
  readonly #removals = new Map<string, "deleted" | "rejected">();
  /** Command in want of its answer. */
  #asked: string | undefined;
  /** Bytes received since the last answer. */
  #bytesSince = 0;
  #failure: SvirtError | undefined;

  constructor(path: string, timeoutMs: number) {
    this.#path = path;
    this.allow(timeoutMs);
  }

  async open(): Promise<void> {
    for (;;) {
      try {
        this.#fd = tryConnectUnix(this.#path);
      } catch (error) {
        throw this.#gone(error);
      }
      if (this.#fd !== undefined) break;
      if (performance.now() >= this.#deadlineMs) throw this.#noAnswer();
      await sleep(CONNECT_PAUSE_MS);
    }
    await this.#within(() => this.#isGreeted);
    await this.execute("qmp_capabilities");
  }

  allow(timeoutMs: number): void {
    this.#allowedMs = timeoutMs;
    this.#deadlineMs = performance.now() + timeoutMs;
  }

  async execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    return await this.#ask(command, args, (line) => this.#send(line));
  }

  async handOver(file: PassedFile): Promise<void> {
    await this.#give(await openPassed(file), "add-fd", { "fdset-id": file.fd, opaque: file.file.path });
  }

  async openPipe(options: PipeOptions): Promise<GuestPipe> {
    const { guestEnd, pipe } = makeGuestPipe(options);
    try {
      await this.#give(guestEnd, "getfd", { fdname: options.name });
      return pipe;
    } catch (error) {
      pipe.close();
      throw error;
    }
  }

  async passTap(tap: PassedTap): Promise<void> {
    const opened = openTap(tap);
    try {
      for (const { fd, name } of opened)
        await this.#ask("getfd", { fdname: name }, (line) => sendFile(this.#socket, line, fd));
    } finally {
      for (const { fd } of opened) closeSync(fd);
    }
  }

  async handPeer(peer: PluggedPeer): Promise<void> {
    await this.#give(connectPeer(peer, peer.uid), "getfd", { fdname: peer.name });
  }

  async handListener(name: string, display: Display): Promise<void> {
    await this.#give(listenTcp(display), "getfd", { fdname: name });
  }

  async waitUntilDeleted(device: string, timeoutMs: number): Promise<"deleted" | "rejected" | "kept"> {
    const isOver = (): boolean => this.#removals.has(device) || this.#failure !== undefined;
    await this.#until(isOver, Math.min(this.#deadlineMs, performance.now() + timeoutMs));
    return this.#removals.get(device) ?? "kept";
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#failure ??= this.#gone();
  }

  get #socket(): number {
    if (this.#fd === undefined) throw this.#failure ?? this.#gone();
    return this.#fd;
  }

  /** Sends a command with a descriptor, from then on QEMU's only. */
  async #give(fd: number, command: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      // No other output waits: each command is sent after the answer to the previous one.
      await this.#ask(command, args, (line) => sendFile(this.#socket, line, fd));
    } finally {
      closeSync(fd);
    }
  }

  async #ask(
    command: string,
    args: Readonly<Record<string, unknown>> | undefined,
    send: (line: string) => void | Promise<void>,
  ): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#answers.set(id, undefined);
    this.#asked = command;
    try {
      await send(
        formatQmpCommand({ execute: command, ...(args === undefined ? {} : { arguments: args }) }, id),
      );
      await this.#within(() => this.#answers.get(id) !== undefined);
    } finally {
      this.#asked = undefined;
    }
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (answer?.is !== "error") return answer?.value;
    throw new SvirtError(`internal error: unable to execute QEMU command: ${answer.description}`, {
      kind: "failed",
      remedy: HEED_QEMU,
    });
  }

  /** Waits until the condition holds. Throws the error that ended the conversation, or "timeout". */
  async #within(holds: () => boolean): Promise<void> {
    await this.#until(() => holds() || this.#failure !== undefined, this.#deadlineMs);
    if (holds()) return;
    throw this.#failure ?? this.#noAnswer();
  }

  /** Reads QEMU's messages until the condition holds or the time is over. */
  async #until(holds: () => boolean, deadlineMs: number): Promise<void> {
    while (!holds() && (await whenReady(this.#socket, POLLIN, deadlineMs))) this.#take();
  }

  #take(): void {
    if (this.#fd === undefined) return;
    const count = readSome(this.#fd, this.#chunk);
    if (count === "later") return;
    try {
      if (count === "ended") throw this.#gone();
      this.#bytesSince += count;
      for (const line of this.#lines.add(this.#chunk.subarray(0, count))) {
        this.#refuseLonger(line.bytes);
        const message = parseQmpLine(joinLine(line));
        if (message !== undefined) this.#note(message);
      }
      this.#refuseLonger(this.#lines.pendingBytes);
      const most = mostAnswerBytes(this.#asked) + MOST_MESSAGE_BYTES;
      if (this.#bytesSince > most) throw notQmp(`it sent more than ${most} bytes without an answer`);
    } catch (error) {
      this.#failure ??= asSvirtError(error);
    }
  }

  #refuseLonger(bytes: number): void {
    const most = mostAnswerBytes(this.#asked);
    if (bytes > most) throw notQmp(`a message has more than ${most} bytes`);
  }

  #note(message: QmpMessage): void {
    switch (message.is) {
      case "greeting":
        this.#isGreeted = true;
        return;
      case "return":
      case "error":
        if (message.id === undefined || !this.#answers.has(message.id)) return;
        this.#answers.set(message.id, message);
        this.#bytesSince = 0;
        return;
      case "event": {
        const device = message.facts.get("device");
        const end = REMOVALS.get(message.name);
        if (end === undefined || typeof device !== "string") return;
        if (this.#removals.size < MOST_REMOVALS) this.#removals.set(device, end);
        return;
      }
    }
  }

  async #send(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(line);
    for (let at = 0; at < bytes.length; ) {
      const { count, errno } = writeSome(this.#socket, bytes.subarray(at));
      if (errno !== undefined) throw this.#gone();
      at += count;
      if (count === 0 && !(await whenReady(this.#socket, POLLOUT, this.#deadlineMs))) throw this.#noAnswer();
    }
  }

  /** Returns the error, the end of the conversation. */
  #noAnswer(): SvirtError {
    this.#failure ??= new SvirtError(
      `Cannot talk to QEMU at ${this.#path}: no answer within ${this.#allowedMs / 1000} s`,
      {
        kind: "timeout",
        remedy:
          "See its log in /var/log/svirt, and svirt audit: QEMU may hang, or another program uses its monitor.",
      },
    );
    return this.#failure;
  }

  #gone(cause?: unknown): SvirtError {
    return new SvirtError(`Cannot talk to QEMU at ${this.#path}: it has ended, or does not listen`, {
      kind: "failed",
      remedy: SEE_QEMU_LOG,
      cause,
    });
  }
}
