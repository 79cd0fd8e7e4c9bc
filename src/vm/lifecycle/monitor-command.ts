import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { tellMonitor } from "../guest/guest-monitor.ts";

/**
 * Sends a command to a running guest's QEMU and returns its answer. The effects are not recorded. Throws "not-found",
 * "wrong-state", "timeout", and "failed" with QEMU's message.
 */
export async function sendMonitorCommand(
  instance: Instance,
  key: string,
  command: Parameters<typeof tellMonitor>[2],
): Promise<unknown> {
  return await tellMonitor(instance, findRunning(instance, key).guest.uuid, command);
}
