import type { Host } from "../../host/host.ts";
import { callsOf } from "./monitor-calls.ts";

/**
 * Returns the host with a common deadline for all its conversations. Unfinished work is left to the next
 * call.
 */
export function withinTime(host: Host, wholeMs: number): Host {
  const end = host.nowMs() + wholeMs;
  const atMost = (timeoutMs: number): number => Math.max(0, Math.min(timeoutMs, end - host.nowMs()));
  return {
    ...host,
    async connectMonitor(path, timeoutMs) {
      const monitor = await host.connectMonitor(path, atMost(timeoutMs));
      return { ...callsOf(monitor), allow: (more) => monitor.allow(atMost(more)) };
    },
    async connectLines(to) {
      const channel = await host.connectLines(to);
      return {
        send: async (bytes, timeoutMs) => await channel.send(bytes, atMost(timeoutMs)),
        readLine: async (timeoutMs, mostBytes) => await channel.readLine(atMost(timeoutMs), mostBytes),
        close: () => channel.close(),
      };
    },
  };
}
