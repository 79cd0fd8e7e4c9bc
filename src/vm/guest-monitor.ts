import type { Monitor } from "../host.ts";
import { guestPaths } from "../plan/paths.ts";
import type { Node } from "./node.ts";

/** Longer than QEMU ever takes, unless it hangs. */
const CONNECT_TIMEOUT_MS = 10_000;

/** A conversation with a guest's QEMU: one at a time, so keep it short. Throws "timeout". */
export async function withMonitor<Result>(
  node: Node,
  uuid: string,
  talk: (monitor: Monitor) => Promise<Result>,
): Promise<Result> {
  const monitor = await node.host.connectMonitor(guestPaths(node.paths, uuid).monitor, CONNECT_TIMEOUT_MS);
  try {
    return await talk(monitor);
  } finally {
    monitor.close();
  }
}
