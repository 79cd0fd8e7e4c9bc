import { joinLine, LineBuffer } from "../../../qemu/monitor/line-buffer.ts";
import { formatQmpCommand, parseQmpLine, type QmpEvent } from "../../../qemu/monitor/qmp.ts";
import type { EventFeed } from "../../monitor.ts";

/** Longest line. QEMU's events have a few hundred bytes. */
const MOST_LINE_BYTES = 65_536;
/** Most events that wait to be taken. */
const MOST_EVENTS = 64;
/** A QEMU that sends more than this in the time below is not read for the rest of it, so that the connection has time for others. */
const MOST_BYTES = 1024 * 1024;
const WINDOW_MS = 100;

/** Implements Host.followEvents by a socket of bun, which waits beside all others without a timer or a thread. */
export function followEvents(path: string, onEvent: () => void): EventFeed {
  return new Feed(path, onEvent);
}

class Feed implements EventFeed {
  readonly served: Promise<void>;
  readonly #onServed: () => void;
  readonly #onEvent: () => void;
  readonly #lines = new LineBuffer();
  #events: QmpEvent[] = [];
  #socket: Bun.Socket | undefined;
  #isOpen = true;
  /** Bytes since the last pause, and the pause that follows. */
  #bytes = 0;
  #pause: NodeJS.Timeout | undefined;

  constructor(path: string, onEvent: () => void) {
    this.#onEvent = onEvent;
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.served, this.#onServed] = [promise, resolve];
    void this.#connect(path);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  take(): readonly QmpEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  close(): void {
    this.#isOpen = false;
    this.#onServed();
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  async #connect(path: string): Promise<void> {
    try {
      const socket = await Bun.connect({
        unix: path,
        socket: {
          open: (opened) => void opened.write(formatQmpCommand({ execute: "qmp_capabilities" }, 1)),
          data: (_, bytes) => this.#read(bytes),
          close: () => this.close(),
          error: () => this.close(),
        },
      });
      if (this.#isOpen) this.#socket = socket;
      else socket.terminate();
    } catch {
      // The guest has ended, or QEMU's queue is full.
      this.close();
    }
  }

  #read(bytes: Uint8Array): void {
    const before = this.#events.length;
    try {
      for (const line of this.#lines.add(bytes)) {
        // Events beyond the limit are not even parsed.
        if (line.bytes > MOST_LINE_BYTES || this.#events.length >= MOST_EVENTS) continue;
        const message = parseQmpLine(joinLine(line));
        if (message?.is === "event") this.#events.push(message);
        if (message?.is === "return") this.#onServed();
      }
    } catch {
      // It speaks no QMP.
      this.close();
    }
    if (this.#lines.pendingBytes > MOST_LINE_BYTES) this.close();
    this.#count(bytes.length);
    if (this.#events.length > before) this.#onEvent();
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#pause ??= setTimeout(() => this.#resume(), WINDOW_MS);
    if (this.#bytes > MOST_BYTES) this.#socket?.pause();
  }

  #resume(): void {
    this.#pause = undefined;
    this.#bytes = 0;
    this.#socket?.resume();
  }
}
