import type { Monitor } from "../../host/monitor.ts";
import { guestPaths } from "../../plan/paths.ts";
import { CHANGE_TIMEOUT_MS, converse, MONITOR_TIMEOUT_MS } from "../../run/monitor/converse.ts";
import type { Node } from "../../state/instance.ts";

/** Opens a conversation with a guest's QEMU that only queries. Throws "timeout". */
export async function withMonitor<Result>(
  node: Node,
  uuid: string,
  talk: (monitor: Monitor) => Promise<Result>,
): Promise<Result> {
  const { monitor } = guestPaths(node.paths, uuid);
  return await converse(node.host, { monitor, timeoutMs: MONITOR_TIMEOUT_MS }, talk);
}

/** Sends a command that changes the guest and may take long. Throws "timeout". */
export async function tellMonitor(
  node: Node,
  uuid: string,
  command: { readonly execute: string; readonly arguments?: Readonly<Record<string, unknown>> },
): Promise<unknown> {
  const { monitor } = guestPaths(node.paths, uuid);
  return await converse(node.host, { monitor, timeoutMs: CHANGE_TIMEOUT_MS }, (qemu) =>
    qemu.execute(command.execute, command.arguments),
  );
}
