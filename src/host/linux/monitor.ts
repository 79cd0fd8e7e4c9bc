import { closeSync } from "node:fs";
import { SvirtError } from "../../errors.ts";
import type { GuestPipe, Monitor, PipeWish } from "../../host.ts";
import type { Display } from "../../plan/display.ts";
import type { HandedFile } from "../../plan/guest-order.ts";
import type { HandedTap } from "../../plan/tap.ts";
import {
  EMPTY_REST,
  formatQmpCommand,
  parseQmpChunk,
  type QmpMessage,
  type QmpRest,
} from "../../qemu/qmp.ts";
import { makeGuestPipe } from "./guest-pipe.ts";
import { listenTcp } from "./listen-tcp.ts";
import { openHanded } from "./open-handed.ts";
import { openTap } from "./open-tap.ts";
import { sendFile } from "./send-file.ts";

/** Longer than QEMU takes for any command that svirt sends and waits for. */
const ANSWER_TIMEOUT_MS = 30_000;

type Socket = Bun.Socket<undefined>;

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

class Conversation implements Monitor {
  readonly #path: string;
  #socket: Socket | undefined;
  #rest: QmpRest = EMPTY_REST;
  #nextId = 1;
  #greet = Promise.withResolvers<void>();
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #deleted = new Set<string>();
  #onDeleted: () => void = () => undefined;
  #isClosed = false;

  constructor(path: string) {
    this.#path = path;
  }

  async open(timeoutMs: number): Promise<void> {
    // Whoever waits sees the rejection; when nobody does yet it must not end the process.
    this.#greet.promise.catch(() => undefined);
    try {
      this.#socket = await Bun.connect({
        unix: this.#path,
        socket: {
          data: (_socket, bytes) => this.#take(bytes),
          close: () => this.#fail(this.#gone()),
          error: (_socket, error) => this.#fail(this.#gone(error)),
        },
      });
    } catch (error) {
      throw this.#gone(error);
    }
    await this.#within(this.#greet.promise, timeoutMs);
    await this.execute("qmp_capabilities");
  }

  async execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    return await this.#ask(command, args, (line) => this.#socket?.write(line));
  }

  async handOver(file: HandedFile): Promise<void> {
    await this.#give(openHanded(file), "add-fd", { "fdset-id": file.fd, opaque: file.file.path });
  }

  async openPipe(wish: PipeWish): Promise<GuestPipe> {
    const { guestEnd, pipe } = makeGuestPipe(wish);
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
        await this.#ask("getfd", { fdname: name }, (line) => sendFile(this.#descriptor(), line, fd));
    } finally {
      for (const { fd } of opened) closeSync(fd);
    }
  }

  async handListener(name: string, display: Display): Promise<void> {
    await this.#give(listenTcp(display), "getfd", { fdname: name });
  }

  async waitUntilDeleted(device: string, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#deleted.has(device)) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || this.#isClosed) return false;
      const next = Promise.withResolvers<void>();
      this.#onDeleted = next.resolve;
      await Promise.race([next.promise, Bun.sleep(leftMs)]);
    }
    return true;
  }

  close(): void {
    this.#socket?.end();
  }

  /** With the command goes a descriptor, which is QEMU's alone from then on. */
  async #give(fd: number, command: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      // Nothing else waits to be written: each command is sent when the one before is answered.
      await this.#ask(command, args, (line) => sendFile(this.#descriptor(), line, fd));
    } finally {
      closeSync(fd);
    }
  }

  async #ask(
    command: string,
    args: Readonly<Record<string, unknown>> | undefined,
    send: (line: string) => unknown,
  ): Promise<unknown> {
    // Nobody would answer, nor hang up once more.
    if (this.#isClosed) throw this.#gone();
    const id = this.#nextId;
    this.#nextId += 1;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    send(formatQmpCommand({ execute: command, ...(args === undefined ? {} : { arguments: args }) }, id));
    return await this.#within(answer.promise, ANSWER_TIMEOUT_MS);
  }

  #descriptor(): number {
    const fd: unknown = this.#socket === undefined ? undefined : Reflect.get(this.#socket, "fd");
    if (typeof fd === "number" && fd >= 0) return fd;
    throw this.#gone();
  }

  #take(bytes: Uint8Array): void {
    try {
      const { messages, rest } = parseQmpChunk(this.#rest, bytes);
      this.#rest = rest;
      for (const message of messages) this.#dispatch(message);
    } catch (error) {
      this.#fail(error);
      this.close();
    }
  }

  #dispatch(message: QmpMessage): void {
    switch (message.is) {
      case "greeting":
        this.#greet.resolve();
        return;
      case "return":
        this.#answer(message.id)?.resolve(message.value);
        return;
      case "error":
        this.#answer(message.id)?.reject(
          new SvirtError(`internal error: unable to execute QEMU command: ${message.description}`, {
            kind: "failed",
          }),
        );
        return;
      case "event":
        this.#note(message);
        return;
    }
  }

  #note({ facts, name }: Extract<QmpMessage, { is: "event" }>): void {
    const device = facts.get("device");
    if (name !== "DEVICE_DELETED" || typeof device !== "string") return;
    this.#deleted.add(device);
    this.#onDeleted();
  }

  #answer(id: number | undefined): PromiseWithResolvers<unknown> | undefined {
    const found = this.#waiting.get(id ?? 0);
    this.#waiting.delete(id ?? 0);
    return found;
  }

  #fail(error: unknown): void {
    this.#isClosed = true;
    this.#onDeleted();
    this.#greet.reject(error);
    for (const answer of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
  }

  #gone(cause?: unknown): SvirtError {
    return new SvirtError(`Cannot talk to QEMU at ${this.#path}: it has ended, or does not listen`, {
      kind: "failed",
      cause,
    });
  }

  async #within<Result>(promise: Promise<Result>, timeoutMs: number): Promise<Result> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const message = `Cannot talk to QEMU at ${this.#path}: no answer within ${timeoutMs / 1000} s`;
      late.reject(
        new SvirtError(message, {
          kind: "timeout",
          remedy: "Somebody else may talk to it, or it hangs: see its log, and svirt audit.",
        }),
      );
    }, timeoutMs);
    try {
      return await Promise.race([promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
