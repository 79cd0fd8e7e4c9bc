import type { Devices } from "../../domain/devices.ts";
import { runningChain } from "../../plan/record/disk-chain.ts";
import { listQemuObjects, type Plugged } from "../../plan/record/qemu-objects.ts";
import { AGENT_PORT } from "../../qemu/agent/agent-port.ts";
import type { QemuReport } from "../../qemu/monitor/reports.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { GuestReport } from "../../state/reports/guest-reports.ts";
import { namedDevices } from "./named-devices.ts";
import { runningGuest } from "./running-guest.ts";

/**
 * Returns the reports with the clients' facts about devices, by svirt's record, without reports about missing
 * devices or devices of no interest.
 */
export function resolveReports(record: GuestRecord, reports: readonly QemuReport[]): readonly GuestReport[] {
  // A guest may report as often as it likes: its XML and QEMU's arguments are read once for all of them.
  const facts = new GuestFacts(record);
  return reports.flatMap((report) => resolve(record, report, facts) ?? []);
}

/** Facts about a guest's devices, each of which is made when it is needed first. */
class GuestFacts {
  readonly #record: GuestRecord;
  #objects: Plugged | undefined;
  #devices: Devices | undefined;

  constructor(record: GuestRecord) {
    this.#record = record;
  }

  get devices(): Devices {
    this.#devices ??= namedDevices(runningGuest(this.#record).guest, this.#plugged);
    return this.#devices;
  }

  /** Returns the path of a disk's top image; empty without an image. */
  imageOf(device: string): string {
    return runningChain(this.#plugged, device)[0]?.path ?? "";
  }

  get #plugged(): Plugged {
    this.#objects ??= listQemuObjects(this.#record.steps);
    return this.#objects;
  }
}

function resolve(record: GuestRecord, report: QemuReport, facts: GuestFacts): GuestReport | undefined {
  switch (report.report) {
    case "io-error":
      return { ...report, path: facts.imageOf(report.device) };
    case "port":
      return isAgent(facts.devices, report.device)
        ? { report: "agent-lifecycle", isConnected: report.isOpen }
        : undefined;
    case "block-job": {
      const job = jobOf(record, report.job);
      if (job === undefined) return undefined;
      const device = facts.devices.disks.find(({ target }) => target.dev === job.disk)?.alias ?? "";
      return { report: "block-job", ...job, path: facts.imageOf(device), status: report.status };
    }
    default:
      return report;
  }
}

/**
 * Returns a job's type and disk. Once it has ended the record may have it no more, and its name says both.
 */
function jobOf(
  { jobs = [] }: GuestRecord,
  name: string,
): Pick<Extract<GuestReport, { report: "block-job" }>, "type" | "disk"> | undefined {
  const known = jobs.find(({ job }) => job === name);
  if (known !== undefined && known.type !== "snapshot") return { type: known.type, disk: known.disk };
  const [, type, disk = ""] = /^(pull|copy|commit|active-commit)-([^-]+)-/.exec(name) ?? [];
  return isType(type) ? { type, disk } : undefined;
}

function isType(type: string | undefined): type is Extract<GuestReport, { report: "block-job" }>["type"] {
  return type === "pull" || type === "copy" || type === "commit" || type === "active-commit";
}

function isAgent({ channels }: Devices, port: string): boolean {
  return channels.some(
    ({ alias, target }) => alias === port && target.type === "virtio" && target.name === AGENT_PORT,
  );
}
