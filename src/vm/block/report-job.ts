import { unlessWorkRefused } from "../../errors.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { QemuReport } from "../../qemu/monitor/reports.ts";
import type { Instance } from "../../state/instance.ts";
import { withFreeGuest, withReportsLock } from "../../state/locks.ts";
import { type GuestRecord, readRecord } from "../../state/record.ts";
import { keepReports, lastReports } from "../../state/reports/guest-reports.ts";
import { resolveReports } from "../guest/resolve-report.ts";

type JobStatus = Extract<QemuReport, { report: "block-job" }>["status"];

/**
 * Reports a ready or ended job to clients waiting for events, if QEMU cannot: a guest started by an older
 * svirt has no monitor for events. `guest` is the record with the job. Does not repeat the job's last report.
 * If the report fails, only the report is missing. The caller holds the guest's lock.
 */
export async function reportJob(
  instance: Instance,
  guest: GuestRecord,
  { job, status }: { readonly job: BlockJob; readonly status: JobStatus },
): Promise<void> {
  if (isReporting(instance, guest)) return;
  const [report] = resolveReports(guest, [{ report: "block-job", job: job.job ?? "", status }]);
  if (report?.report !== "block-job") return;
  await unlessWorkRefused(async () => {
    await withReportsLock(instance, guest.uuid, async () => {
      const last = lastReports(instance, guest).findLast(
        (one) => one.report === "block-job" && one.disk === report.disk,
      );
      // A job is ready once, and the end of the job before was reported.
      const isKnown = status === "ready" && last?.report === "block-job" && last.status === "ready";
      if (!isKnown) keepReports(instance, guest, [report]);
    });
  });
}

/**
 * Reports a ready job, for a reading caller. If another call has the guest and may end the job, or if the
 * report fails, it is left to the next look.
 */
export async function reportReady(instance: Instance, guest: GuestRecord, job: BlockJob): Promise<void> {
  const { startedMs, uuid } = guest;
  await unlessWorkRefused(async () => {
    if (isReporting(instance, guest)) return;
    await withFreeGuest(instance, uuid, async () => {
      const now = readRecord(instance, uuid);
      if (now?.startedMs !== startedMs || now.jobs?.some((one) => one.job === job.job) !== true) return;
      await reportJob(instance, now, { job, status: "ready" });
    });
  });
}

/** Reports whether QEMU reports its jobs itself. */
function isReporting({ host, paths }: Instance, { uuid }: GuestRecord): boolean {
  return host.inspectFile(guestPaths(paths, uuid).events) !== undefined;
}
