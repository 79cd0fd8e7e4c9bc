import { poll } from "./terminal.ts";

/** asm-generic/poll.h */
export const POLLIN = 1;
export const POLLOUT = 4;

/** Descriptor that poll(2) ignores, for waits without a descriptor. */
const NO_FD = -1;
/** Maximum time for which poll(2) blocks bun's event loop, which loads modules on demand. */
const LONGEST_POLL_MS = 100;
/** Longest wait of poll(2) and of a timer. */
const FOREVER_MS = 2 ** 31 - 1;

interface Waiter {
  readonly fd: number;
  readonly events: number;
  readonly deadlineMs: number;
  resolve(isReady: boolean): void;
}

const waiters = new Set<Waiter>();
let next: NodeJS.Timeout | "soon" | undefined;

/**
 * Waits for an event on the descriptor. Returns true, or false at the deadline (performance.now()). One poll(2) serves
 * all waits of svirt instead of bun's event loop. An idle loop collects garbage, on threads that take the processors from
 * the awaited QEMU. This shortens a start by a tenth (docs/measurements.md).
 */
export async function whenReady(fd: number, events: number, deadlineMs: number): Promise<boolean> {
  if (performance.now() >= deadlineMs) return false;
  // Skips the queue only if no other wait exists: a QEMU that sends without pause must not delay the others.
  if (waiters.size === 0 && (poll([{ fd, events }], 0)[0] ?? 0) !== 0) return true;
  return await new Promise((resolve) => add({ fd, events, deadlineMs, resolve }));
}

/** Implements Host.sleep. */
export async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => add({ fd: NO_FD, events: 0, deadlineMs: performance.now() + ms, resolve }));
}

/** Ends the waits for a descriptor that is about to be closed, as if it were ready. */
export function wakeWaiters(fd: number): void {
  for (const waiter of waiters) if (waiter.fd === fd) wake(waiter, true);
}

function add(waiter: Waiter): void {
  waiters.add(waiter);
  schedule();
}

function wake(waiter: Waiter, isReady: boolean): void {
  waiters.delete(waiter);
  waiter.resolve(isReady);
}

/** Polls if a wait has a descriptor; else sets a timer and leaves the event loop alone. */
function schedule(): void {
  if (next === "soon") return;
  clearTimeout(next);
  const all = [...waiters];
  if (all.some(({ fd }) => fd !== NO_FD)) {
    next = "soon";
    setImmediate(look);
  } else {
    next = all.length === 0 ? undefined : setTimeout(look, untilDeadline(all, FOREVER_MS));
  }
}

function look(): void {
  const all = [...waiters];
  const polled = all.filter(({ fd }) => fd !== NO_FD);
  const found = polled.length === 0 ? [] : poll(polled, untilDeadline(all, LONGEST_POLL_MS));
  const ready = new Set(polled.filter((_, at) => (found[at] ?? 0) !== 0));
  const now = performance.now();
  for (const waiter of all)
    if (ready.has(waiter) || waiter.deadlineMs <= now) wake(waiter, ready.has(waiter));
  next = undefined;
  schedule();
}

function untilDeadline(all: readonly Waiter[], mostMs: number): number {
  const first = Math.min(...all.map(({ deadlineMs }) => deadlineMs)) - performance.now();
  return Math.max(0, Math.ceil(Math.min(first, mostMs)));
}
