import { asDefined } from "../../domain/definition-of-running.ts";
import type { Domain } from "../../domain/domain.ts";
import { parseSnapshot, type Snapshot } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import type { RecordedChange } from "../../plan/change/object-change.ts";
import type { StagedPlan } from "../../plan/change/staged-plan.ts";
import type { Progress } from "../../run/actor.ts";
import { NO_OBSERVER, type StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { refuseUnreadable } from "../../state/snapshots/snapshot-limits.ts";
import { addSnapshot } from "../../state/snapshots/snapshot-tree.ts";
import type { SnapshotTree } from "../../state/snapshots/snapshots.ts";
import { chooseOverlays } from "../block/choose-overlays.ts";
import { describeSnapshot } from "../block/describe-snapshot.ts";
import { makeHeadersAhead, takeSnapshot } from "../block/jobs.ts";
import { PLACE_OF_ENCRYPTION } from "../block/new-encryption.ts";
import { type ExpectedEnd, planWork } from "../block/plan-conclusions.ts";
import { defaultSnapshotName, refuseKept, snapshotLive, snapshotNow } from "../block/snapshot.ts";
import type { SnapshotDisk, SnapshotOptions } from "../block/snapshot-options.ts";
import { destroyDomain } from "../end/destroy.ts";
import { planEnd } from "../end/end-guest.ts";
import { findDomain } from "../guest/find-domain.ts";
import { withQuietGuest } from "../guest-system/quiet-guest.ts";
import { withJob } from "../save/domain-job.ts";
import { changeImagesOff, type OffChange, placeOverlays, planImagesOff } from "./change-images-off.ts";

const MS_PER_SECOND = 1000;

/** How a snapshot is taken. */
export interface SnapshotFlags {
  /** Only the disks, without the memory of a running guest. */
  readonly isDiskOnly: boolean;
  /** The snapshot is stored, so that it can be listed. */
  readonly isKept: boolean;
  /** The overlays already exist. */
  readonly reuses: boolean;
  /** The guest's agent freezes its file systems meanwhile. */
  readonly quiesces?: boolean;
  /** A guest that runs is ended afterwards. */
  readonly halts?: boolean;
}

/** Snapshot to take. */
export interface NewSnapshot extends SnapshotOptions {
  readonly flags: SnapshotFlags;
}

/**
 * Returns the snapshot requested by a document. Parts of stored snapshots only are ignored, as by libvirt.
 * Throws "xml", "unsupported" with the place or libvirt's message.
 */
export function snapshotFromXml(instance: Instance, bytes: Uint8Array, flags: SnapshotFlags): NewSnapshot {
  const snapshot = parseSnapshot(bytes);
  const { description, disks, memory, name } = snapshot;
  if (flags.isDiskOnly && memory !== undefined && memory.snapshot !== "no") throw withoutMemory();
  return newSnapshot(instance, {
    name,
    description,
    disks: (disks?.disks ?? []).map(toSnapshotDisk),
    memory: memory?.file,
    flags,
  });
}

/**
 * Returns the snapshot with this name, or a name by the time. Throws "xml" for an unstorable snapshot,
 * "unsupported".
 */
export function newSnapshot(
  instance: Instance,
  asked: Pick<NewSnapshot, "disks" | "flags" | "memory"> & {
    readonly name: string | undefined;
    readonly description: string | undefined;
  },
): NewSnapshot {
  const { description, disks, flags, memory, name = defaultSnapshotName(instance) } = asked;
  if (flags.quiesces === true && !flags.isDiskOnly) throw notQuiet();
  if (flags.isDiskOnly && memory !== undefined) throw withoutMemory();
  if (!flags.isDiskOnly && memory === undefined) throw insideImage();
  if (flags.isKept) refuseName(name);
  const kept = flags.isKept ? { kept: { description } } : {};
  return { name, disks, reuses: flags.reuses, flags, memory, ...kept };
}

/**
 * Takes a snapshot: each disk gets an overlay, a new image to which the guest writes from then on, and the
 * snapshot is stored. With memory, a running guest is stopped while it is written, and until the disks are
 * switched. If svirt is killed, the next call finishes or undoes both. Throws "not-found", "in-use" if the
 * name or a path is in use, and the errors of the host and QEMU; then nothing has changed.
 */
export async function createSnapshot(
  instance: Instance,
  key: string,
  {
    observer = NO_OBSERVER,
    onProgress,
    snapshot,
  }: { readonly snapshot: NewSnapshot; readonly observer?: StepObserver; readonly onProgress?: Progress },
): Promise<{ readonly name: string }> {
  const { guest, uuid } = findDomain(instance, key);
  const { flags, name } = snapshot;
  if (guest !== undefined) {
    // Before the guest is frozen, since each takes half a second.
    const headers =
      flags.quiesces === true
        ? await makeHeadersAhead(instance, uuid, snapshotNow(instance, snapshot))
        : undefined;
    const take = async (within: Instance): Promise<void> => {
      const asked = snapshotLive(within, snapshot);
      const request = headers === undefined ? asked : { ...asked, headers: async () => headers };
      if (snapshot.memory === undefined) await takeSnapshot(within, uuid, { request, observer });
      else await takeWithMemory(within, uuid, { request, observer, onProgress });
      // The guest stays frozen until it ends: once thawed, it would write into the overlays.
      // qemuSnapshotCreateActiveExternal() of libvirt
      if (flags.halts === true) await destroyDomain(instance, uuid);
    };
    if (flags.quiesces === true) await withQuietGuest(instance, uuid, take);
    else await take(instance);
  } else {
    refuseOff(snapshot);
    await changeImagesOff(instance, { ...offRequest(uuid, snapshot), observer });
  }
  return { name };
}

/** Returns the steps of createSnapshot(), and changes nothing. Throws its errors. */
export async function planSnapshot(
  instance: Instance,
  key: string,
  snapshot: NewSnapshot,
): Promise<Partial<RecordedChange & StagedPlan> & Pick<RecordedChange, "steps">> {
  const { guest, uuid } = findDomain(instance, key);
  if (guest !== undefined) {
    const endOf = (): ExpectedEnd => ({ isDone: true, after: "QEMU switches the disks; after that:" });
    const request = snapshotLive(instance, snapshot);
    const { guest: taken, pauses, steps } = await planWork(instance, uuid, { request, endOf });
    return { pauses, steps: snapshot.flags.halts === true ? [...steps, ...planEnd(taken)] : steps };
  }
  refuseOff(snapshot);
  return (await planImagesOff(instance, offRequest(uuid, snapshot))).plan;
}

/** Throws the refusals of a snapshot of a domain that is off. */
function refuseOff({ flags, memory }: NewSnapshot): void {
  if (memory !== undefined) throw withoutMemory();
  if (flags.quiesces === true) throw notRunning();
}

function offRequest(uuid: string, snapshot: NewSnapshot): Parameters<typeof changeImagesOff>[1] {
  return {
    command: "snapshot-create",
    uuid,
    named: snapshot.disks.flatMap(({ file }) => file ?? []),
    encryption: PLACE_OF_ENCRYPTION.snapshot,
    decide: (reading, domain, tree) => decideOff(reading, { domain, tree }, snapshot),
  };
}

/** Takes a snapshot with memory, as a job visible to other calls and open to an abort by them. */
async function takeWithMemory(
  instance: Instance,
  uuid: string,
  {
    onProgress,
    ...how
  }: Omit<Parameters<typeof takeSnapshot>[2], "onProgress"> & { readonly onProgress: Progress | undefined },
): Promise<void> {
  await withJob(instance, { operation: "snapshot", uuid, onProgress }, async (job) => {
    await takeSnapshot(instance, uuid, { ...how, onProgress: job.onProgress });
  });
}

function decideOff(
  instance: Instance,
  { domain, tree }: { readonly domain: Domain; readonly tree: SnapshotTree },
  snapshot: NewSnapshot,
): OffChange {
  refuseKept(instance, domain.uuid, snapshot);
  const overlays = chooseOverlays(domain.devices.disks, snapshot);
  const placed = placeOverlays(instance, domain, { overlays, reuses: snapshot.reuses });
  const { kept, name } = snapshot;
  if (kept === undefined) return { ...placed, tree };
  const taken = describeSnapshot({
    name,
    description: kept.description,
    state: "shutoff",
    createdAt: Math.floor(instance.host.nowMs() / MS_PER_SECOND),
    domain: asDefined(domain),
    inactiveDomain: undefined,
    overlays: new Map(overlays.map(({ disk, path, secret }) => [disk.target.dev, { path, secret }])),
  });
  refuseUnreadable(taken);
  return { ...placed, tree: addSnapshot(tree, taken) };
}

type DiskElement = NonNullable<Snapshot["disks"]>["disks"][number];

function toSnapshotDisk({ driver, name, snapshot, source, type }: DiskElement): SnapshotDisk {
  if (type === "block" || (source?.seclabels.length ?? 0) > 0) {
    throw new SvirtError(
      `Operation not supported: svirt makes overlays in files, with labels of its own, and not as <disk name='${name}'> asks`,
      { kind: "unsupported", libvirt: "OPERATION_UNSUPPORTED", remedy: "Write <source file='PATH'/> there." },
    );
  }
  return { name, snapshot, driver: driver?.type, file: source?.file, encryption: source?.encryption };
}

/**
 * Throws "xml" with libvirt's message for a name that no file may have. qemuSnapshotCreateXMLValidateDef() of
 * libvirt
 */
export function refuseName(name: string): void {
  const wrong = ["/", "."].find((letter) => (letter === "/" ? name.includes("/") : name.startsWith(".")));
  if (wrong === undefined) return;
  const why = wrong === "/" ? "can't contain '/'" : "can't start with '.'";
  throw new SvirtError(`invalid snapshot name '${name}': name ${why}`, {
    kind: "xml",
    libvirt: "XML_DETAIL",
    from: "QEMU",
    remedy: "Choose another name.",
  });
}

function notRunning(): SvirtError {
  return new SvirtError("Requested operation is not valid: domain is not running", {
    kind: "wrong-state",
    remedy: "Leave --quiesce out: the file systems of a domain that is off are quiet.",
  });
}

/** qemuSnapshotCreateXML() of libvirt: the file systems would be frozen in the memory, too. */
function notQuiet(): SvirtError {
  return new SvirtError(
    "Flag 'VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY' is required by flag 'VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE'",
    { kind: "usage", from: "QEMU", remedy: "Add --disk-only, or leave --quiesce out." },
  );
}

function insideImage(): SvirtError {
  return new SvirtError("Operation not supported: svirt does not take snapshots inside an image", {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy:
      "Add --disk-only, for a snapshot of the disks in overlays, or --memspec file=PATH for one with the memory.",
  });
}

/** virDomainSnapshotDefParse() of libvirt */
function withoutMemory(): SvirtError {
  return new SvirtError("XML error: memory state cannot be saved with offline or disk-only snapshot", {
    kind: "xml",
    from: "DOMAIN_SNAPSHOT",
    place: "/domainsnapshot/memory",
    remedy: "Leave the memory out, or take the snapshot of a running guest without --disk-only.",
  });
}
