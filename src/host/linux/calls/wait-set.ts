import type { Awaited } from "./terminal.ts";

/** Descriptor ignored by poll(2), for waits without a descriptor. */
const NO_FD = -1;
/**
 * Longest time for poll(2) to block bun's event loop, which loads modules on demand; and beside the calls of
 * a client.
 */
const [LONGEST_POLL_MS, SHARED_POLL_MS] = [100, 10];
/**
 * Age of a wait for which poll(2) no longer blocks beside the calls of a client, and the pause between two
 * looks from then on.
 */
const [BLOCKING_MS, PAUSE_MS] = [100, 10];
/** Longest wait of a timer. */
const FOREVER_MS = 2 ** 31 - 1;

/** Time, poll(2) and the event loop. */
export interface Machinery {
  nowMs(): number;
  /** Waits for an event or the timeout. Returns the events of each descriptor. poll(2) */
  poll(awaited: readonly Awaited[], timeoutMs: number): readonly number[];
  /** Calls back after all other ready work. */
  soon(run: () => void): void;
  /** Calls back after the time. Returns the function to cancel it. */
  after(ms: number, run: () => void): () => void;
}

interface Waiter {
  readonly fd: number;
  readonly events: number;
  readonly sinceMs: number;
  readonly deadlineMs: number;
  resolve(isReady: boolean): void;
}

/**
 * Waits for descriptors and times by one poll(2), which blocks the event loop. Beside the calls of a client
 * it blocks only for young waits: a healthy QEMU answers at once, and a silent QEMU must not delay the other
 * calls. Older waits are checked in pauses.
 */
export class WaitSet {
  readonly #machinery: Machinery;
  readonly #waiters = new Set<Waiter>();
  #next: "soon" | (() => void) | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #isShared = false;

  constructor(machinery: Machinery) {
    this.#machinery = machinery;
  }

  /** Declares: a client's calls run beside all waits from now on. */
  share(): void {
    this.#isShared = true;
  }

  /** Waits for an event on the descriptor. Returns true, or false at the deadline. */
  async whenReady(fd: number, events: number, deadlineMs: number): Promise<boolean> {
    if (this.#machinery.nowMs() >= deadlineMs) return false;
    // Skips the queue only if no other wait exists: a QEMU that sends without pause must not delay the
    // others.
    if (this.#waiters.size === 0 && (this.#machinery.poll([{ fd, events }], 0)[0] ?? 0) !== 0) return true;
    return await new Promise((resolve) => this.#add({ fd, events, deadlineMs, resolve }));
  }

  async sleep(ms: number): Promise<void> {
    const deadlineMs = this.#machinery.nowMs() + ms;
    await new Promise((resolve) => this.#add({ fd: NO_FD, events: 0, deadlineMs, resolve }));
  }

  /** Ends the waits for a descriptor as if it were ready. */
  wake(fd: number): void {
    for (const waiter of this.#waiters) if (waiter.fd === fd) this.#end(waiter, true);
  }

  #add(waiter: Omit<Waiter, "sinceMs">): void {
    this.#waiters.add({ ...waiter, sinceMs: this.#machinery.nowMs() });
    this.#schedule();
  }

  #end(waiter: Waiter, isReady: boolean): void {
    this.#waiters.delete(waiter);
    waiter.resolve(isReady);
  }

  /**
   * Polls next if a wait has a descriptor and may block; else sets a timer and leaves the event loop alone.
   */
  #schedule(): void {
    if (this.#next === "soon") return;
    this.#next?.();
    this.#next = undefined;
    const all = [...this.#waiters];
    if (all.length === 0) return;
    const polled = all.filter(({ fd }) => fd !== NO_FD);
    if (polled.length > 0 && this.#blockingMs(polled) > 0) {
      this.#next = "soon";
      this.#machinery.soon(() => this.#look());
      return;
    }
    const pauseMs = polled.length === 0 ? FOREVER_MS : this.#lookedMs + PAUSE_MS - this.#machinery.nowMs();
    this.#next = this.#machinery.after(this.#untilDeadline(all, pauseMs), () => this.#look());
  }

  #look(): void {
    const all = [...this.#waiters];
    const polled = all.filter(({ fd }) => fd !== NO_FD);
    const found =
      polled.length === 0
        ? []
        : this.#machinery.poll(polled, this.#untilDeadline(all, this.#blockingMs(polled)));
    const ready = new Set(polled.filter((_, at) => (found[at] ?? 0) !== 0));
    const now = this.#machinery.nowMs();
    this.#lookedMs = now;
    for (const waiter of all)
      if (ready.has(waiter) || waiter.deadlineMs <= now) this.#end(waiter, ready.has(waiter));
    this.#next = undefined;
    this.#schedule();
  }

  /** Returns the longest time for poll(2) to block now. */
  #blockingMs(polled: readonly Waiter[]): number {
    if (!this.#isShared) return LONGEST_POLL_MS;
    const youngest = Math.max(...polled.map(({ sinceMs }) => sinceMs));
    return this.#machinery.nowMs() - youngest < BLOCKING_MS ? SHARED_POLL_MS : 0;
  }

  #untilDeadline(all: readonly Waiter[], mostMs: number): number {
    const first = Math.min(...all.map(({ deadlineMs }) => deadlineMs)) - this.#machinery.nowMs();
    return Math.max(0, Math.ceil(Math.min(first, mostMs)));
  }
}
