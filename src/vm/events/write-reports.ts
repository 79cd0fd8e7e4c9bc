import { unlessRefused } from "../../errors.ts";
import type { QmpEvent } from "../../qemu/monitor/qmp.ts";
import { parseReport } from "../../qemu/monitor/reports.ts";
import type { Instance } from "../../state/instance.ts";
import { readRecord } from "../../state/record.ts";
import { keepReports } from "../../state/reports/guest-reports.ts";
import { resolveReports } from "../guest/resolve-report.ts";
import type { GuestFacts } from "./domain-events.ts";

/**
 * Writes what a running guest's QEMU reports, for all clients that wait for events. A guest that has ended reports nothing, nor does one
 * whose record cannot be read now.
 */
export function writeReports(instance: Instance, guest: GuestFacts, events: readonly QmpEvent[]): void {
  const found = events.flatMap((event) => parseReport(event) ?? []);
  if (found.length === 0) return;
  unlessRefused(() => {
    const record = readRecord(instance, guest.uuid);
    if (record?.startedMs !== guest.startedMs) return;
    const reports = resolveReports(record, found);
    if (reports.length > 0) keepReports(instance, guest, reports);
  });
}
