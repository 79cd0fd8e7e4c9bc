import type { Host } from "../host/host.ts";

/**
 * Returns the host with a limit for each wait for a lock. The error of the lock names the time that was
 * waited.
 */
export function lockWithin(host: Host, mostMs: number): Host {
  return { ...host, lock: async (path, timeoutMs) => await host.lock(path, Math.min(timeoutMs, mostMs)) };
}
