import { closeSync } from "node:fs";
import { asSvirtError, HEED_QEMU, SEE_QEMU_LOG, SvirtError } from "../../errors.ts";
import type { GuestPipe, PipeWish } from "../../host/channels.ts";
import type { Monitor } from "../../host.ts";
import type { Display } from "../../plan/display.ts";
import type { HandedFile, PluggedPeer } from "../../plan/guest-order.ts";
import type { HandedTap } from "../../plan/tap.ts";
import {
  EMPTY_REST,
  formatQmpCommand,
  parseQmpChunk,
  type QmpMessage,
  type QmpRest,
} from "../../qemu/qmp.ts";
import { connectPeer } from "./connect-peer.ts";
import { makeGuestPipe } from "./guest-pipe.ts";
import { connectUnix } from "./listen.ts";
import { listenTcp } from "./listen-tcp.ts";
import { openHanded } from "./open-handed.ts";
import { openTap } from "./open-tap.ts";
import { sendFile } from "./send-file.ts";
import { readSome, writeSome } from "./socket-bytes.ts";
import { poll } from "./terminal.ts";

type Answer = Extract<QmpMessage, { is: "return" | "error" }>;

/** asm-generic/poll.h */
const POLLIN = 1;
const POLLOUT = 4;
const CHUNK_BYTES = 65_536;
/** Longer than QEMU takes for any command that svirt sends and waits for. */
const ANSWER_TIMEOUT_MS = 30_000;
/** More devices than a guest has that go while svirt talks to it. */
const MOST_DELETED = 1000;
/** How long it may take nothing at a time. */
const SEND_WAIT_MS = 100;
/** How long an answer may lie there while svirt also moves a guest's state. */
const LOOK_UP_MS = 2;

/**
 * Host.connectMonitor: connects, waits for the greeting and leaves negotiation behind. The socket listens from before
 * QEMU started, so this waits for QEMU without asking again and again; when QEMU ends, the kernel hangs up.
 */
export async function connectMonitor(path: string, timeoutMs: number): Promise<Monitor> {
  const conversation = new Conversation(path);
  try {
    await conversation.open(timeoutMs);
    return conversation;
  } catch (error) {
    conversation.close();
    throw error;
  }
}

/**
 * Waits in poll(2), not in bun's event loop: an idle loop collects garbage, on threads that take the processors from the
 * QEMU that is waited for. A start is shorter by a tenth for it (docs/measurements.md).
 */
class Conversation implements Monitor {
  readonly #path: string;
  readonly #fd: number;
  #rest: QmpRest = EMPTY_REST;
  #nextId = 1;
  #isGreeted = false;
  /** Of what was asked and is not answered yet: a QEMU that somebody has taken over shall not fill svirt's memory. */
  readonly #answers = new Map<number, Answer | undefined>();
  readonly #deleted = new Set<string>();
  /** The event loop moves a guest's state meanwhile: nothing may keep it waiting. */
  #isPiping = false;
  #isOpen = true;
  #failure: SvirtError | undefined;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = connectUnix(path);
    } catch (error) {
      throw this.#gone(error);
    }
  }

  async open(timeoutMs: number): Promise<void> {
    await this.#within(() => this.#isGreeted, timeoutMs);
    await this.execute("qmp_capabilities");
  }

  async execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    return await this.#ask(command, args, (line) => this.#send(line));
  }

  async handOver(file: HandedFile): Promise<void> {
    await this.#give(openHanded(file), "add-fd", { "fdset-id": file.fd, opaque: file.file.path });
  }

  async openPipe(wish: PipeWish): Promise<GuestPipe> {
    const { guestEnd, pipe } = makeGuestPipe(wish);
    this.#isPiping = true;
    try {
      await this.#give(guestEnd, "getfd", { fdname: wish.name });
      return pipe;
    } catch (error) {
      pipe.close();
      throw error;
    }
  }

  async handTap(tap: HandedTap): Promise<void> {
    const opened = openTap(tap);
    try {
      for (const { fd, name } of opened)
        await this.#ask("getfd", { fdname: name }, (line) => sendFile(this.#fd, line, fd));
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

  async waitUntilDeleted(device: string, timeoutMs: number): Promise<boolean> {
    const isOver = (): boolean => this.#deleted.has(device) || this.#failure !== undefined;
    await this.#until(isOver, timeoutMs);
    return this.#deleted.has(device);
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
    this.#failure ??= this.#gone();
  }

  /** With the command goes a descriptor, which is QEMU's alone from then on. */
  async #give(fd: number, command: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      // Nothing else waits to be written: each command is sent when the one before is answered.
      await this.#ask(command, args, (line) => sendFile(this.#fd, line, fd));
    } finally {
      closeSync(fd);
    }
  }

  async #ask(
    command: string,
    args: Readonly<Record<string, unknown>> | undefined,
    send: (line: string) => void,
  ): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#answers.set(id, undefined);
    send(formatQmpCommand({ execute: command, ...(args === undefined ? {} : { arguments: args }) }, id));
    await this.#within(() => this.#answers.get(id) !== undefined, ANSWER_TIMEOUT_MS);
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (answer?.is !== "error") return answer?.value;
    throw new SvirtError(`internal error: unable to execute QEMU command: ${answer.description}`, {
      kind: "failed",
      remedy: HEED_QEMU,
    });
  }

  /** Throws what ended the conversation, and "timeout". */
  async #within(holds: () => boolean, timeoutMs: number): Promise<void> {
    await this.#until(() => holds() || this.#failure !== undefined, timeoutMs);
    if (holds()) return;
    if (this.#failure !== undefined) throw this.#failure;
    throw new SvirtError(`Cannot talk to QEMU at ${this.#path}: no answer within ${timeoutMs / 1000} s`, {
      kind: "timeout",
      remedy: "Somebody else may talk to it, or it hangs: see its log, and svirt audit.",
    });
  }

  /** Takes what QEMU says until it holds, or the time is over. */
  async #until(holds: () => boolean, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds()) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return;
      const [found = 0] = poll([{ fd: this.#fd, events: POLLIN }], this.#isPiping ? 0 : Math.ceil(leftMs));
      if (found !== 0) this.#take();
      else if (this.#isPiping) await Bun.sleep(LOOK_UP_MS);
    }
  }

  #take(): void {
    const chunk = readSome(this.#fd, CHUNK_BYTES);
    if (chunk === "later") return;
    if (chunk === "ended") {
      this.#failure ??= this.#gone();
      return;
    }
    try {
      const { messages, rest } = parseQmpChunk(this.#rest, chunk);
      this.#rest = rest;
      for (const message of messages) this.#note(message);
    } catch (error) {
      this.#failure ??= asSvirtError(error);
    }
  }

  #note(message: QmpMessage): void {
    switch (message.is) {
      case "greeting":
        this.#isGreeted = true;
        return;
      case "return":
      case "error":
        if (message.id !== undefined && this.#answers.has(message.id)) this.#answers.set(message.id, message);
        return;
      case "event": {
        const device = message.facts.get("device");
        if (message.name !== "DEVICE_DELETED" || typeof device !== "string") return;
        if (this.#deleted.size < MOST_DELETED) this.#deleted.add(device);
        return;
      }
    }
  }

  #send(line: string): void {
    const bytes = new TextEncoder().encode(line);
    for (let at = 0; at < bytes.length; ) {
      const { count, errno } = writeSome(this.#fd, bytes.subarray(at));
      if (errno !== undefined) throw this.#gone();
      if (count > 0) at += count;
      else poll([{ fd: this.#fd, events: POLLOUT }], SEND_WAIT_MS);
    }
  }

  #gone(cause?: unknown): SvirtError {
    return new SvirtError(`Cannot talk to QEMU at ${this.#path}: it has ended, or does not listen`, {
      kind: "failed",
      remedy: SEE_QEMU_LOG,
      cause,
    });
  }
}
