import { joinLine, LineBuffer } from "../../../qemu/monitor/line-buffer.ts";
import { formatQmpCommand, parseQmpLine, type QmpEvent } from "../../../qemu/monitor/qmp.ts";
import type { EventFeed } from "../../monitor.ts";

/** Longest line. QEMU's events have a few hundred bytes. */
const MOST_LINE_BYTES = 65_536;
/** Most waiting events. */
const MOST_EVENTS = 64;
/**
 * A QEMU sending more than this in the time below is not read for the rest of it: the connection has time for
 * others.
 */
const MOST_BYTES = 1024 * 1024;
const WINDOW_MS = 100;
/** Pause before another connection. */
const RETRY_MS = 1000;

/**
 * Implements Host.followEvents by a socket of bun, which waits beside all others without a timer or a thread.
 */
export function followEvents(path: string, onEvent: () => void): EventFeed {
  return new Feed(path, onEvent);
}

class Feed implements EventFeed {
  readonly served: Promise<void>;
  readonly #onServed: () => void;
  readonly #onEvent: () => void;
  readonly #path: string;
  #lines = new LineBuffer();
  #events: QmpEvent[] = [];
  #socket: Bun.Socket | undefined;
  #isOpen = true;
  /** Bytes since the last pause, and the next pause. */
  #bytes = 0;
  #pause: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(path: string, onEvent: () => void) {
    this.#onEvent = onEvent;
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.served, this.#onServed] = [promise, resolve];
    this.#path = path;
    void this.#connect();
  }

  take(): readonly QmpEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  close(): void {
    this.#isOpen = false;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#lost();
  }

  /**
   * Ends the connection. Unless the feed is closed, tries again later: QEMU's queue may have been full, or
   * the guest has ended.
   */
  #lost(): void {
    this.#onServed();
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#socket?.terminate();
    this.#socket = undefined;
    this.#lines = new LineBuffer();
    if (!this.#isOpen) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      void this.#connect();
    }, RETRY_MS);
  }

  async #connect(): Promise<void> {
    try {
      const socket = await Bun.connect({
        unix: this.#path,
        socket: {
          open: (opened) => void opened.write(formatQmpCommand({ execute: "qmp_capabilities" }, 1)),
          data: (_, bytes) => this.#read(bytes),
          close: () => this.#lost(),
          error: () => this.#lost(),
        },
      });
      if (this.#isOpen) this.#socket = socket;
      else socket.terminate();
    } catch {
      this.#lost();
    }
  }

  #read(bytes: Uint8Array): void {
    const before = this.#events.length;
    if (this.#keep(bytes)) this.#count(bytes.length);
    else this.#lost();
    if (this.#events.length > before) this.#onEvent();
  }

  /** Keeps the events of these bytes. Returns whether they may be QMP. */
  #keep(bytes: Uint8Array): boolean {
    try {
      for (const line of this.#lines.add(bytes)) {
        // Events beyond the limit are not even parsed.
        if (line.bytes > MOST_LINE_BYTES || this.#events.length >= MOST_EVENTS) continue;
        const message = parseQmpLine(joinLine(line));
        if (message?.is === "event") this.#events.push(message);
        if (message?.is === "return") this.#onServed();
      }
    } catch {
      return false;
    }
    return this.#lines.pendingBytes <= MOST_LINE_BYTES;
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
