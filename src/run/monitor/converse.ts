import type { Host, Monitor } from "../../host/host.ts";
import type { MonitorCommand } from "../../plan/facts/step-parts.ts";
import { parsePtys } from "../../qemu/start-commands.ts";
import type { Actor } from "../actor.ts";

/** How long a conversation as a whole may take that only asks: longer than QEMU ever takes, unless it hangs. */
export const MONITOR_TIMEOUT_MS = 10_000;
/**
 * The same where QEMU opens, flushes or closes files before it answers, or the guest has to do something: devices, media,
 * jobs, stop and cont.
 */
export const CHANGE_TIMEOUT_MS = 30_000;
/** How long QEMU has to end a block job that needs nothing more: it may have to write what the guest has just written. */
export const JOB_END_TIMEOUT_MS = 60_000;
/** Within which a state that is saved, dumped or loaded must have moved on by a MiB: it takes as long as it takes. */
export const STREAM_IDLE_MS = 60_000;

/**
 * A conversation with one QEMU: nobody else can talk to it meanwhile, so keep it short. The time is for all of it; longer
 * ones are those that set it anew (Monitor.allow). Throws "timeout", "failed".
 */
export async function converse<Result>(
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
 * Waits until QEMU has opened all it was given and answers, and asks it what terminals it got: before its guest has run, so
 * that no guest can make it lie. Throws "timeout"; "failed" when it ended instead.
 */
export async function greetMonitor(
  { host, onTerminals }: Actor,
  step: { readonly monitor: string; readonly timeoutMs: number; readonly hasTerminals?: true },
): Promise<void> {
  await converse(host, step, async (monitor) => {
    if (step.hasTerminals) onTerminals?.(parsePtys(await monitor.execute("query-chardev")));
  });
}

/** Tells QEMU what cannot be said on its command line, and lets the vCPUs run. Throws "failed" with QEMU's words. */
export async function resumeGuest(
  host: Host,
  { commands, monitor: path }: { readonly monitor: string; readonly commands: readonly MonitorCommand[] },
): Promise<void> {
  await converse(host, { monitor: path, timeoutMs: CHANGE_TIMEOUT_MS }, async (monitor) => {
    for (const command of commands) await monitor.execute(command.execute, command.arguments);
  });
}
