import type { Monitor } from "../../host/monitor.ts";
import { guestPaths } from "../../plan/paths.ts";
import { withMonitorSocket } from "../../run/monitor/converse.ts";
import { CHANGE_TIMEOUT_MS, MONITOR_TIMEOUT_MS } from "../../run/monitor/qmp-time-limits.ts";
import type { Instance } from "../../state/instance.ts";

/** Opens a conversation of queries with a guest's QEMU. Throws "timeout". */
export async function withMonitor<Result>(
  instance: Instance,
  uuid: string,
  talk: (monitor: Monitor) => Promise<Result>,
): Promise<Result> {
  const { monitor } = guestPaths(instance.paths, uuid);
  return await withMonitorSocket(instance.host, { monitor, timeoutMs: MONITOR_TIMEOUT_MS }, talk);
}

/** Sends a command that changes the guest and may take a long time. Throws "timeout". */
export async function tellMonitor(
  instance: Instance,
  uuid: string,
  command: { readonly execute: string; readonly arguments?: Readonly<Record<string, unknown>> },
): Promise<unknown> {
  const { monitor } = guestPaths(instance.paths, uuid);
  return await withMonitorSocket(instance.host, { monitor, timeoutMs: CHANGE_TIMEOUT_MS }, (qemu) =>
    qemu.execute(command.execute, command.arguments),
  );
}
