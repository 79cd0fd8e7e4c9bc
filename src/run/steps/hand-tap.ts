import type { Host } from "../../host/host.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { converse, MONITOR_TIMEOUT_MS } from "../monitor/converse.ts";
import { removeIfThere } from "./device.ts";

/** Creates or opens a tap and passes its queues to a running QEMU. Throws "host-call", "failed" with QEMU's message. */
export async function handTap(host: Host, { monitor: path, tap }: StepOf<"hand-tap">): Promise<void> {
  const at = { monitor: path, timeoutMs: MONITOR_TIMEOUT_MS };
  await converse(host, at, (monitor) => monitor.handTap(tap));
}

/** Closes the descriptors that no netdev uses. A missing one is no error. */
export async function takeTap(host: Host, { descriptors, monitor: path }: StepOf<"take-tap">): Promise<void> {
  const at = { monitor: path, timeoutMs: MONITOR_TIMEOUT_MS };
  await converse(host, at, async (monitor) => {
    for (const fdname of descriptors) await removeIfThere(monitor, "closefd", { fdname });
  });
}
