import { unlessWorkRefused } from "../../errors.ts";
import type { EventFeed } from "../../host/monitor.ts";
import type { QmpEvent } from "../../qemu/monitor/qmp.ts";
import { parseReport } from "../../qemu/monitor/reports.ts";
import type { Instance } from "../../state/instance.ts";
import { withReportsLock } from "../../state/locks.ts";
import { readRecord } from "../../state/record.ts";
import { keepReports } from "../../state/reports/guest-reports.ts";
import { resolveReports } from "../guest/resolve-report.ts";
import type { GuestFacts } from "./domain-events.ts";

/**
 * Takes what a running guest's QEMU reports, and writes it for all clients that wait for events. A guest that has ended reports nothing, nor does one
 * whose record cannot be read now. A device that it was asked for and has released is
 * detached. Returns whether it has taken the reports: if another svirt holds the lock of the guest's reports for a second, they wait for
 * the next call.
 */
export async function writeReports(
  instance: Instance,
  { startedMs, uuid }: Pick<GuestFacts, "startedMs" | "uuid">,
  feed: Pick<EventFeed, "take">,
): Promise<boolean> {
  let isTaken = false;
  await unlessWorkRefused(async () => {
    let isReleased = false;
    await withReportsLock(instance, uuid, async () => {
      const events = feed.take();
      isTaken = true;
      const found = events.flatMap((event) => parseReport(event) ?? []);
      const removed = events.flatMap((event) => removedDevice(event) ?? []);
      const record = found.length + removed.length === 0 ? undefined : readRecord(instance, uuid);
      if (record?.startedMs !== startedMs) return;
      isReleased = record.asked?.some((device) => removed.includes(device)) ?? false;
      const reports = resolveReports(record, found);
      if (reports.length > 0) keepReports(instance, record, reports);
    });
    if (isReleased) await recoverReleased(instance, uuid);
  });
  return isTaken;
}

/** Has the guest's record and the kernel looked at: what QEMU says decides nothing. Its errors are those of the next call about it. */
async function recoverReleased(instance: Instance, uuid: string): Promise<void> {
  // Imported only if a guest has kept a device, which is rare.
  const { recoverBefore } = await import("../recover/recover-before.ts");
  await recoverBefore(instance, [uuid]);
}

/** Returns the device that an event of QEMU's monitor says is removed. qemu.git qapi/qdev.json */
function removedDevice({ facts, name }: QmpEvent): string | undefined {
  const device = facts.get("device");
  return name === "DEVICE_DELETED" && typeof device === "string" ? device : undefined;
}
