import { poll } from "./terminal.ts";
import { WaitSet } from "./wait-set.ts";

/** asm-generic/poll.h */
export const POLLIN = 1;
export const POLLOUT = 4;

const waits = new WaitSet({
  nowMs: () => performance.now(),
  poll,
  soon: (run) => void setImmediate(run),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
});

/**
 * Waits for an event on the descriptor. Returns true, or false at the deadline (performance.now()). One
 * poll(2) serves all waits of svirt instead of bun's event loop. An idle loop collects garbage on threads,
 * taking the processors from the awaited QEMU. This shortens a start by a tenth (docs/measurements.md).
 */
export async function whenReady(fd: number, events: number, deadlineMs: number): Promise<boolean> {
  return await waits.whenReady(fd, events, deadlineMs);
}

/** Implements Host.sleep. */
export async function sleep(ms: number): Promise<void> {
  await waits.sleep(ms);
}

/** Ends the waits for a descriptor that is about to be closed, as if it were ready. */
export function wakeWaiters(fd: number): void {
  waits.wake(fd);
}

/** Lets a client's calls run beside each wait from now on: a silent QEMU delays none of them. */
export function shareLoop(): void {
  waits.share();
}
