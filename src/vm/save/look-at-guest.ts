import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import type { Monitor } from "../../host/host.ts";
import type { StreamedGuest } from "../../plan/actions/stream.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Node } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { withMonitor } from "../guest/guest-monitor.ts";

const status = v.object({ running: v.boolean() });
/** What the types of machines are called that have a version: another QEMU knows the state by that name alone. */
const VERSIONED = /^(pc-(?:i440fx|q35)-\d+\.\d+)-machine$/;

/** What QEMU says of itself before its state is written. */
export interface SeenGuest extends StreamedGuest {
  /** The machine's type with its version, where QEMU says one that there may be. */
  readonly machine: string | undefined;
}

/** Asks QEMU whether its vCPUs run, and as which machine. Throws "timeout". */
export async function lookAtGuest(node: Node, guest: GuestRecord): Promise<SeenGuest> {
  const { imageLabel } = guest.label;
  const { monitor } = guestPaths(node.paths, guest.uuid);
  return await withMonitor(node, guest.uuid, async (qemu) => {
    const { running } = v.parse(status, await qemu.execute("query-status"));
    return { monitor, isRunning: running, imageLabel, machine: await askMachine(qemu) };
  });
}

/** Throws "wrong-state" in libvirt's words: QEMU would not have the job any more when it goes on. */
export function refuseJobs({ jobs = [], name }: GuestRecord): void {
  if (jobs.length === 0) return;
  throw new SvirtError("Requested operation is not valid: domain has active block job", {
    kind: "wrong-state",
    remedy: `Wait until it is done, or give it up: svirt blockjob ${name} DISK --abort`,
  });
}

async function askMachine(qemu: Monitor): Promise<string | undefined> {
  const type = await qemu.execute("qom-get", { path: "/machine", property: "type" });
  return VERSIONED.exec(String(type))?.[1];
}
