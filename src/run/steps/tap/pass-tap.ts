import type { Host } from "../../../host/host.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { withMonitorSocket } from "../../monitor/converse.ts";
import { MONITOR_TIMEOUT_MS } from "../../monitor/qmp-time-limits.ts";
import { removeIfThere } from "../device.ts";

/**
 * Creates or opens a tap and passes its queues to a running QEMU. Throws "host-call", "failed" with QEMU's
 * message.
 */
export async function passTap(host: Host, { monitor: path, tap }: StepOf<"pass-tap">): Promise<void> {
  const at = { monitor: path, timeoutMs: MONITOR_TIMEOUT_MS };
  await withMonitorSocket(host, at, (monitor) => monitor.passTap(tap));
}

/** Closes the descriptors without a netdev. A missing descriptor is not an error. */
export async function closeTap(
  host: Host,
  { descriptors, monitor: path }: StepOf<"close-tap">,
): Promise<void> {
  const at = { monitor: path, timeoutMs: MONITOR_TIMEOUT_MS };
  await withMonitorSocket(host, at, async (monitor) => {
    for (const fdname of descriptors) await removeIfThere(monitor, "closefd", { fdname });
  });
}
