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
 * Takes the reports of a running guest's QEMU, and writes them for all clients waiting for events. An ended
 * guest reports nothing, nor does a guest with a record unreadable now. Calls `onReleased` if QEMU reports a
 * requested device as released by the guest. Returns whether it has taken the reports: if another svirt holds
 * the lock of the guest's reports for a second, they wait for the next call.
 */
export async function writeReports(
  instance: Instance,
  { startedMs, uuid }: Pick<GuestFacts, "startedMs" | "uuid">,
  { feed, onReleased }: { readonly feed: Pick<EventFeed, "take">; readonly onReleased: () => void },
): Promise<boolean> {
  let isTaken = false;
  await unlessWorkRefused(async () => {
    await withReportsLock(instance, uuid, async () => {
      const events = feed.take();
      isTaken = true;
      const found = events.flatMap((event) => parseReport(event) ?? []);
      const removed = events.flatMap((event) => removedDevice(event) ?? []);
      const record = found.length + removed.length === 0 ? undefined : readRecord(instance, uuid);
      if (record?.startedMs !== startedMs) return;
      if (record.asked?.some((device) => removed.includes(device)) === true) onReleased();
      const reports = resolveReports(record, found);
      if (reports.length > 0) keepReports(instance, record, reports);
    });
  });
  return isTaken;
}

/** Returns the device that an event of QEMU's monitor says is removed. qemu.git qapi/qdev.json */
function removedDevice({ facts, name }: QmpEvent): string | undefined {
  const device = facts.get("device");
  return name === "DEVICE_DELETED" && typeof device === "string" ? device : undefined;
}
