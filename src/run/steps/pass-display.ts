import type { Host } from "../../host/host.ts";
import { DISPLAY_SOCKET } from "../../plan/facts/display-address.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { withMonitorSocket } from "../monitor/converse.ts";
import { MONITOR_TIMEOUT_MS } from "../monitor/qmp-time-limits.ts";

/**
 * Listens at the address of the guest's screen and passes the socket to its QEMU: qemu.git qapi/ui.json
 * display-update. Throws "host-call", "failed" with QEMU's message.
 */
export async function passDisplay(
  host: Host,
  { display, monitor: path }: StepOf<"pass-display">,
): Promise<void> {
  const at = { monitor: path, timeoutMs: MONITOR_TIMEOUT_MS };
  await withMonitorSocket(host, at, async (monitor) => {
    await monitor.handListener(DISPLAY_SOCKET, display);
    const addresses = [{ type: "fd", str: DISPLAY_SOCKET }];
    await monitor.execute("display-update", { type: "vnc", addresses });
  });
}
