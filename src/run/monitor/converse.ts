import type { Host } from "../../host/host.ts";
import type { Monitor } from "../../host/monitor.ts";
import type { MonitorCommand } from "../../plan/facts/step-parts.ts";
import type { Actor } from "../actor.ts";
import { CHANGE_TIMEOUT_MS } from "./qmp-time-limits.ts";

/**
 * Holds a conversation with a QEMU. No other process can talk to it until the conversation ends, so it must
 * be short. The time limit applies to the whole conversation; a longer limit resets it (Monitor.allow).
 * Throws "timeout", "failed".
 */
export async function withMonitorSocket<Result>(
  host: Host,
  at: { readonly monitor: string; readonly timeoutMs: number },
  talk: (monitor: Monitor) => Promise<Result>,
): Promise<Result> {
  const monitor = await host.connectMonitor(at.monitor, at.timeoutMs);
  try {
    return await talk(monitor);
  } finally {
    monitor.close();
  }
}

/**
 * Waits until QEMU has opened all its files and answers, and queries the names of its terminals. The guest
 * has not run yet, so no guest can falsify them. Throws "timeout"; "failed" when QEMU ended instead.
 */
export async function greetMonitor(
  { host, onTerminals }: Actor,
  step: { readonly monitor: string; readonly timeoutMs: number; readonly hasTerminals?: true },
): Promise<void> {
  await withMonitorSocket(host, step, async (monitor) => {
    if (step.hasTerminals !== true) return;
    // Loaded here: most conversations only query a state.
    const { parsePtys } = await import("../../qemu/monitor/ptys.ts");
    onTerminals?.(parsePtys(await monitor.execute("query-chardev")));
  });
}

/**
 * Sends QEMU the commands that its command line cannot express, and lets the vCPUs run. Throws "failed" with
 * QEMU's message.
 */
export async function resumeGuest(
  host: Host,
  { commands, monitor: path }: { readonly monitor: string; readonly commands: readonly MonitorCommand[] },
): Promise<void> {
  await withMonitorSocket(host, { monitor: path, timeoutMs: CHANGE_TIMEOUT_MS }, async (monitor) => {
    for (const command of commands) await monitor.execute(command.execute, command.arguments);
  });
}
