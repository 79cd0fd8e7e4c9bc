import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import type { Monitor } from "../../host/monitor.ts";
import type { StreamedGuest } from "../../plan/actions/stream.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { addedLabelOf } from "../hotplug/new-files.ts";

const status = v.object({ running: v.boolean() });
/** Names of machine types with a version: a different QEMU accepts the state only under such a name. */
const VERSIONED = /^(pc-(?:i440fx|q35)-\d+\.\d+)-machine$/;

/** QEMU's report about itself before its state is written. */
export interface InspectedGuest extends StreamedGuest {
  /** The machine type with its version; undefined if QEMU does not report an existing one. */
  readonly machine: string | undefined;
}

/** Queries whether QEMU's vCPUs run, and its machine type. Throws "timeout". */
export async function inspectGuest(instance: Instance, guest: GuestRecord): Promise<InspectedGuest> {
  const stateLabel = addedLabelOf(instance, guest, "saved-state");
  const { monitor } = guestPaths(instance.paths, guest.uuid);
  return await withMonitor(instance, guest.uuid, async (qemu) => {
    const { running } = v.parse(status, await qemu.execute("query-status"));
    return { monitor, isRunning: running, stateLabel, machine: await askMachine(qemu) };
  });
}

/**
 * Throws "wrong-state" with libvirt's message if the guest has block jobs: a restored QEMU would no longer
 * have them.
 */
export function refuseJobs({ jobs = [], name }: GuestRecord): void {
  if (jobs.length === 0) return;
  throw new SvirtError("Requested operation is not valid: domain has active block job", {
    kind: "wrong-state",
    remedy: `Wait until the job has ended, or abort it: svirt blockjob ${name} DISK --abort`,
  });
}

/**
 * Throws "wrong-state" while a snapshot has the guest's file systems frozen. Nothing would thaw a restored
 * guest, and this guest would stay frozen during the write of its memory.
 */
export function refuseFrozen({ frozen, name }: GuestRecord): void {
  if (frozen !== true) return;
  throw new SvirtError(
    `Requested operation is not valid: the file systems of domain '${name}' are frozen by a snapshot`,
    { kind: "wrong-state", remedy: "Wait until snapshot-create has ended. If it was killed: svirt recover" },
  );
}

async function askMachine(qemu: Monitor): Promise<string | undefined> {
  const type = await qemu.execute("qom-get", { path: "/machine", property: "type" });
  return VERSIONED.exec(String(type))?.[1];
}
