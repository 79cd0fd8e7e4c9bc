import { parseDomainText } from "../../domain/document.ts";
import { SvirtError } from "../../errors.ts";
import { planMemory } from "../../plan/actions/stream.ts";
import type { SnapshotMemory } from "../../plan/facts/block-job.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Instance } from "../../state/instance.ts";
import { memoryPartPath } from "../../state/part-path.ts";
import type { GuestRecord } from "../../state/record.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { askState } from "../query/guest-state.ts";
import { type InspectedGuest, inspectGuest, refuseFrozen, refuseJobs } from "../save/inspect-guest.ts";
import { refuseTransient, savedXml } from "../save/save-domain.ts";
import { decideTarget } from "../save/target-file.ts";

/** Memory of a snapshot, and QEMU's report about the guest. */
export interface AskedMemory {
  readonly path: string;
  readonly seen: InspectedGuest;
}

/** Decided memory of a snapshot: the steps that write it before the disks are switched. */
export interface DecidedMemory {
  readonly memory: SnapshotMemory;
  /** Steps before QEMU's. */
  readonly lead: readonly Step[];
  readonly steps: readonly Step[];
}

/**
 * Queries the guest whose memory is written. Throws "unsupported" with libvirt's message if it sleeps, and as
 * decideMemory().
 */
export async function lookAtMemory(
  instance: Instance,
  guest: GuestRecord,
  path: string,
): Promise<AskedMemory> {
  const { state } = await withMonitor(instance, guest.uuid, (monitor) => askState(guest, monitor));
  if (state === "pmsuspended") throw asleep(guest.name);
  return { path, seen: await inspectGuest(instance, guest) };
}

/**
 * Decides how the memory of a snapshot is written, in the form of a saved state. Throws as decideTarget(),
 * "in-use" for an existing file, "wrong-state" with libvirt's messages for a guest without a savable state.
 * qemuSnapshotCreateActiveExternal() of libvirt
 */
export function decideMemory(
  instance: Instance,
  guest: GuestRecord,
  { path: named, seen }: AskedMemory,
): DecidedMemory {
  refuseFrozen(guest);
  refuseJobs(guest);
  refuseTransient(guest);
  const target = decideTarget(instance, named, guest.uuid);
  const { path } = target;
  // libvirt overwrites it: it may be the memory of another snapshot.
  if (instance.host.inspectFile(path) !== undefined) throw taken(path);
  const part = memoryPartPath(path, guest.uuid);
  const { isRunning: wasRunning } = seen;
  const head = { xml: savedXml(guest, parseDomainText(guest.xml), seen.machine), wasRunning };
  return { memory: { part, path, wasRunning }, ...planMemory({ ...target, part }, seen, head) };
}

function taken(path: string): SvirtError {
  return new SvirtError(`Cannot write the memory of the guest to ${path}: the file exists`, {
    kind: "in-use",
    from: "QEMU",
    remedy: "Name another file: --memspec file=PATH",
  });
}

/** qemuSnapshotCreateXMLValidateDef() of libvirt */
function asleep(name: string): SvirtError {
  return new SvirtError(
    "Operation not supported: qemu doesn't support taking snapshots of PMSUSPENDED guests",
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      from: "QEMU",
      remedy: `Wake it first: svirt dompmwakeup ${name}`,
    },
  );
}
