import { unlessWorkRefused } from "../../errors.ts";
import type { EventFeed } from "../../host/monitor.ts";
import { parseReport } from "../../qemu/monitor/reports.ts";
import type { Instance } from "../../state/instance.ts";
import { withReportsLock } from "../../state/locks.ts";
import { readRecord } from "../../state/record.ts";
import { keepReports } from "../../state/reports/guest-reports.ts";
import { resolveReports } from "../guest/resolve-report.ts";
import type { GuestFacts } from "./domain-events.ts";

/**
 * Takes what a running guest's QEMU reports, and writes it for all clients that wait for events. A guest that has ended reports nothing, nor does one
 * whose record cannot be read now. Returns whether it has taken them: if another svirt holds the lock of the guest's reports for a second, they wait for
 * the next call.
 */
export async function writeReports(
  instance: Instance,
  { startedMs, uuid }: Pick<GuestFacts, "startedMs" | "uuid">,
  feed: Pick<EventFeed, "take">,
): Promise<boolean> {
  let isTaken = false;
  await unlessWorkRefused(async () => {
    await withReportsLock(instance, uuid, async () => {
      const found = feed.take().flatMap((event) => parseReport(event) ?? []);
      isTaken = true;
      const record = found.length === 0 ? undefined : readRecord(instance, uuid);
      if (record?.startedMs !== startedMs) return;
      const reports = resolveReports(record, found);
      if (reports.length > 0) keepReports(instance, record, reports);
    });
  });
  return isTaken;
}
