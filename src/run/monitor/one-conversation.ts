import type { Host } from "../../host/host.ts";
import type { Monitor } from "../../host/monitor.ts";
import { callsOf } from "./monitor-calls.ts";

/**
 * Runs `work` with a host talking to a QEMU in a single conversation, in place of several. A start greets
 * QEMU, asks for its threads and lets it run. Each of these keeps its own time limit. No other process can
 * talk to QEMU until the conversation ends. Ends the conversation before it returns or throws.
 */
export async function inOneConversation<Result>(
  host: Host,
  work: (host: Host) => Promise<Result>,
): Promise<Result> {
  let held: { readonly path: string; readonly monitor: Monitor } | undefined;
  const connectMonitor: Host["connectMonitor"] = async (path, timeoutMs) => {
    if (held !== undefined && held.path !== path) held = end(held);
    held?.monitor.allow(timeoutMs);
    held ??= { path, monitor: await host.connectMonitor(path, timeoutMs) };
    return { ...callsOf(held.monitor), close: () => undefined };
  };
  try {
    return await work({ ...host, connectMonitor });
  } finally {
    held?.monitor.close();
  }
}

function end({ monitor }: { readonly monitor: Monitor }): undefined {
  monitor.close();
  return undefined;
}
