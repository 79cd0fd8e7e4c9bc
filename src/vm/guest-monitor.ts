import type { Monitor } from "../host.ts";
import { guestPaths } from "../plan/paths.ts";
import { converse, MONITOR_TIMEOUT_MS } from "../run/converse.ts";
import type { Node } from "./node.ts";

/** A conversation with a guest's QEMU. Throws "timeout". */
export async function withMonitor<Result>(
  node: Node,
  uuid: string,
  talk: (monitor: Monitor) => Promise<Result>,
): Promise<Result> {
  const { monitor } = guestPaths(node.paths, uuid);
  return await converse(node.host, { monitor, timeoutMs: MONITOR_TIMEOUT_MS }, talk);
}
