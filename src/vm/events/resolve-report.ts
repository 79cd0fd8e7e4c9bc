import type { Devices } from "../../domain/devices.ts";
import { runningChain } from "../../plan/record/disk-chain.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import type { QemuReport } from "../../qemu/monitor/reports.ts";
import type { GuestReport } from "../../state/guest-reports.ts";
import type { GuestRecord } from "../../state/record.ts";
import { namedDevices } from "../guest/named-devices.ts";
import { runningGuest } from "../guest/running-guest.ts";

/** Port of the agent in a guest. qemuFindAgentConfig() of libvirt */
const AGENT = "org.qemu.guest_agent.0";

/**
 * Returns the reports with what clients are told about their devices, by svirt's record, without those about devices that the guest
 * does not have or that are of no interest to them.
 */
export function resolveReports(record: GuestRecord, reports: readonly QemuReport[]): readonly GuestReport[] {
  let named: Devices | undefined;
  // A guest may report as often as it likes: its XML is read once for all of them.
  const devices = (): Devices => {
    named ??= namedDevices(runningGuest(record).guest, listQemuObjects(record.steps));
    return named;
  };
  return reports.flatMap((report) => resolve(record, report, devices) ?? []);
}

function resolve(record: GuestRecord, report: QemuReport, devices: () => Devices): GuestReport | undefined {
  switch (report.report) {
    case "io-error":
      return { ...report, path: imageOf(record, report.device) };
    case "port":
      return isAgent(devices(), report.device)
        ? { report: "agent-lifecycle", isConnected: report.isOpen }
        : undefined;
    case "block-job": {
      const job = jobOf(record, report.job);
      if (job === undefined) return undefined;
      const device = devices().disks.find(({ target }) => target.dev === job.disk)?.alias ?? "";
      return { report: "block-job", ...job, path: imageOf(record, device), status: report.status };
    }
    default:
      return report;
  }
}

/** Returns a job's type and disk. Once it has ended the record may have it no more, and its name says both. */
function jobOf(
  { jobs = [] }: GuestRecord,
  name: string,
): Pick<Extract<GuestReport, { report: "block-job" }>, "type" | "disk"> | undefined {
  const known = jobs.find(({ job }) => job === name);
  if (known !== undefined && known.type !== "snapshot") return { type: known.type, disk: known.disk };
  const [, type, disk = ""] = /^(pull|copy|commit)-([^-]+)-/.exec(name) ?? [];
  return type === "pull" || type === "copy" || type === "commit" ? { type, disk } : undefined;
}

function isAgent({ channels }: Devices, port: string): boolean {
  return channels.some(
    ({ alias, target }) => alias === port && target.type === "virtio" && target.name === AGENT,
  );
}

/** Returns the path of a disk's top image; empty without one. */
function imageOf(record: GuestRecord, device: string): string {
  return runningChain(listQemuObjects(record.steps), device)[0]?.path ?? "";
}
