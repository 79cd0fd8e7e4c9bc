import type { Host } from "../host.ts";
import type { Actor } from "./run-step.ts";

const MONITOR_TIMEOUT_MS = 10_000;

/** Waits until QEMU has opened all it was given and answers. Throws "timeout"; "failed" when it ended instead. */
export async function greetMonitor(
  actor: Actor,
  step: { readonly monitor: string; readonly timeoutMs: number },
): Promise<void> {
  const monitor = await actor.host.connectMonitor(step.monitor, step.timeoutMs);
  monitor.close();
}

/** Lets the vCPUs run. */
export async function resumeGuest(host: Host, path: string): Promise<void> {
  const monitor = await host.connectMonitor(path, MONITOR_TIMEOUT_MS);
  try {
    await monitor.execute("cont");
  } finally {
    monitor.close();
  }
}
