import type { BlockJob } from "../../plan/facts/block-job.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { QemuReport } from "../../qemu/monitor/reports.ts";
import { keepReports, lastReports } from "../../state/guest-reports.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { resolveReports } from "../guest/resolve-report.ts";

type JobStatus = Extract<QemuReport, { report: "block-job" }>["status"];

/**
 * Reports that a job is ready or has ended to clients that wait for events, if QEMU cannot: a guest that an older svirt has started has no monitor for
 * events. `guest` is the record with the job. Does not repeat the job's last report.
 */
export function reportJob(
  instance: Instance,
  guest: GuestRecord,
  { job, status }: { readonly job: BlockJob; readonly status: JobStatus },
): void {
  const { host, paths } = instance;
  if (host.inspectFile(guestPaths(paths, guest.uuid).events) !== undefined) return;
  const [report] = resolveReports(guest, [{ report: "block-job", job: job.job ?? "", status }]);
  if (report?.report !== "block-job") return;
  const last = lastReports(instance, guest).findLast(
    (one) => one.report === "block-job" && one.disk === report.disk,
  );
  // A job is ready once, and the end of the one before was reported.
  const isKnown = status === "ready" && last?.report === "block-job" && last.status === "ready";
  if (!isKnown) keepReports(instance, guest, [report]);
}
