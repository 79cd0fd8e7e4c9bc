import type { Host } from "../host.ts";
import type { MonitorCommand } from "../plan/step.ts";
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

/** Tells QEMU what cannot be said on its command line, and lets the vCPUs run. Throws "failed" with QEMU's words. */
export async function resumeGuest(
  host: Host,
  step: { readonly monitor: string; readonly commands: readonly MonitorCommand[] },
): Promise<void> {
  const monitor = await host.connectMonitor(step.monitor, MONITOR_TIMEOUT_MS);
  try {
    for (const command of step.commands) await monitor.execute(command.execute, command.arguments);
  } finally {
    monitor.close();
  }
}
