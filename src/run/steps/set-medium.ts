import * as v from "valibot";
import { SEE_QEMU_LOG, SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Monitor } from "../../host/monitor.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { withMonitorSocket } from "../monitor/converse.ts";
import { CHANGE_TIMEOUT_MS } from "../monitor/qmp-time-limits.ts";

/** Time for a guest to open its locked tray. */
const TRAY_TIMEOUT_MS = 5000;
const POLL_MS = 50;

/** Drive in the answer of `query-block`. qemu.git qapi/block-core.json BlockInfo */
const drive = v.object({
  qdev: v.optional(v.string()),
  tray_open: v.optional(v.boolean()),
  inserted: v.optional(v.object({ "node-name": v.optional(v.string()) })),
});
type Drive = v.InferOutput<typeof drive>;

/**
 * Opens the tray, replaces the medium and closes the tray. If the drive already has the new medium, only
 * closes the tray. Throws "wrong-state" when the guest keeps the tray locked, "failed" with QEMU's message.
 */
export async function setMedium(host: Host, step: StepOf<"set-medium">): Promise<void> {
  const id = step.device;
  await withMonitorSocket(host, { monitor: step.monitor, timeoutMs: CHANGE_TIMEOUT_MS }, async (monitor) => {
    const deadline = host.nowMs() + TRAY_TIMEOUT_MS;
    while (!(await isReplaced(host, monitor, { step, deadline }))) await host.sleep(POLL_MS);
    await monitor.execute("blockdev-close-tray", { id });
  });
}

/**
 * Returns false if the guest closed the tray before the medium was replaced. It can do so at any time, as
 * SCSI permits.
 */
async function isReplaced(
  host: Host,
  monitor: Monitor,
  { deadline, step }: { readonly step: StepOf<"set-medium">; readonly deadline: number },
): Promise<boolean> {
  const id = step.device;
  const { inserted } = await getDrive(monitor, id);
  if (inserted?.["node-name"] === step.to) return true;
  await monitor.execute("blockdev-open-tray", { id, force: step.force });
  await waitForTray(host, monitor, { id, deadline });
  try {
    if (inserted !== undefined) await monitor.execute("blockdev-remove-medium", { id });
    if (step.to !== undefined) await monitor.execute("blockdev-insert-medium", { id, "node-name": step.to });
    return true;
  } catch (error) {
    if (host.nowMs() >= deadline || (await getDrive(monitor, id)).tray_open !== false) throw error;
    return false;
  }
}

async function getDrive(monitor: Monitor, id: string): Promise<Drive> {
  const drives = v.parse(v.array(drive), await monitor.execute("query-block"));
  const found = drives.find(({ qdev }) => qdev === id);
  if (found !== undefined) return found;
  throw new SvirtError(`Cannot change the medium of ${id}: QEMU does not have that drive`, {
    kind: "failed",
    remedy: SEE_QEMU_LOG,
  });
}

/** Waits until the tray is open. QEMU reports no tray for a floppy drive. */
async function waitForTray(
  host: Host,
  monitor: Monitor,
  { deadline, id }: { readonly id: string; readonly deadline: number },
): Promise<void> {
  while ((await getDrive(monitor, id)).tray_open === false) {
    if (host.nowMs() >= deadline) {
      throw new SvirtError(`Cannot change the medium of ${id}: the guest keeps the tray locked`, {
        kind: "wrong-state",
        remedy: "Eject it in the guest, or use --force",
      });
    }
    await host.sleep(POLL_MS);
  }
}
