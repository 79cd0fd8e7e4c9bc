import { fcntl } from "./fcntl.ts";

/** asm-generic/fcntl.h */
const O_NONBLOCK = 0o4000;
const O_ASYNC = 0o20000;
const F_SETFL = 4n;
const F_SETOWN = 8n;

/** Waiter for a descriptor. */
interface Waiter {
  wake(): void;
}

const waiters = new Set<Waiter>();
let isListening = false;

/**
 * Has the kernel report data of a descriptor by SIGIO, which wakes the waiter until ignoreSignal(). The
 * descriptor is read without waiting. Throws "host-call". fcntl(2) F_SETOWN
 */
export function wakeBySignal(fd: number, waiter: Waiter): void {
  listen();
  waiters.add(waiter);
  fcntl(fd, F_SETOWN, BigInt(process.pid));
  fcntl(fd, F_SETFL, BigInt(O_NONBLOCK | O_ASYNC));
}

/** Wakes the waiter no more. */
export function ignoreSignal(waiter: Waiter): void {
  waiters.delete(waiter);
}

/** Never ends: a pending signal would end the process. */
function listen(): void {
  if (isListening) return;
  process.on("SIGIO", () => {
    for (const waiter of waiters) waiter.wake();
  });
  isListening = true;
}
