import type { Disk } from "../../domain/devices/disk/disk.ts";
import { imagePath, replaceSource } from "../../domain/devices/disk/images.ts";
import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { definitionIn, parseSnapshotText, type Snapshot } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import type { ObjectChange } from "../../plan/change/object-change.ts";
import { joinStages, type StagedPlan } from "../../plan/change/staged-plan.ts";
import type { Incoming } from "../../plan/facts/file.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import { listNamedPaths } from "../../resolve/definition-names.ts";
import { askedHost, refuseSilentPaths } from "../../resolve/silent-server.ts";
import { NO_OBSERVER, type StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { hasManagedSave, managedSavePath } from "../../state/managed-save.ts";
import { refuseMerging } from "../../state/snapshots/snapshot-merge.ts";
import type { SnapshotTree } from "../../state/snapshots/snapshots.ts";
import { makeHeaders, PLACE_OF_ENCRYPTION } from "../block/new-encryption.ts";
import { defaultSnapshotName } from "../block/snapshot.ts";
import { destroyDomain } from "../end/destroy.ts";
import { planEnd } from "../end/end-guest.ts";
import { refuseJobs } from "../save/inspect-guest.ts";
import { beginningOf, startNamed } from "../save/restore-domain.ts";
import { readSaveImage, type SaveImage } from "../save/save-image.ts";
import type { Beginning } from "../start/decide-start.ts";
import { startFromState } from "../start/start.ts";
import { changeImagesOff, type OffChange, placeOverlays, putBack, recordOf } from "./change-images-off.ts";
import { type DomainSnapshots, findSnapshot, findSnapshots, snapshotIn } from "./find-snapshot.ts";
import { planStartAfter } from "./plan-start-after.ts";
import {
  chooseOverlays,
  listLeft,
  planRevert,
  type Revert,
  refuseRisk,
  revertToSnapshot,
  revertTree,
} from "./revert-snapshot.ts";

const COMMAND = "snapshot-revert";

/** How a revert ends. */
interface HowToRevert extends Revert {
  /** The domain runs afterwards, also after a snapshot of a domain that was off or paused. */
  readonly runs: boolean;
  readonly observer?: StepObserver;
  /** Receives each image that the domain had and has no longer. It stays. */
  readonly onLeft: (path: string) => void;
}

/**
 * Reverts a domain to a snapshot, as revertToSnapshot(). To a snapshot with memory it also reverts a running
 * guest: it is destroyed, and then continues from the snapshot, running or paused. If its state cannot be
 * loaded, the domain is off with its former images. Throws the errors of revertToSnapshot() and of a restore;
 * "failed" with libvirt's message for an incomplete saved state, or another domain's.
 * qemuSnapshotRevertActive() of libvirt
 */
export async function revertDomain(instance: Instance, key: string, how: HowToRevert): Promise<void> {
  const { isForced, name, observer = NO_OBSERVER, onLeft, runs } = how;
  const { domain, snapshot } = findSnapshot(instance, key, name);
  const file = parseSnapshotText(snapshot.xml).memory?.file;
  if (file !== undefined) return await revertToMemory(instance, domain.uuid, { ...how, file });
  const { left } = await revertToSnapshot(instance, domain.uuid, { name, isForced, observer });
  left.forEach(onLeft);
  if (runs) await startNamed(instance, domain.uuid, { forceBoot: isForced, observer });
}

/** Returns the steps of revertDomain(), also of its start, and changes nothing. Throws its errors. */
export async function planDomainRevert(
  instance: Instance,
  key: string,
  { isForced, name, runs }: Pick<HowToRevert, "isForced" | "name" | "runs">,
): Promise<Partial<ObjectChange> & StagedPlan> {
  const { domain, snapshot } = findSnapshot(instance, key, name);
  const file = parseSnapshotText(snapshot.xml).memory?.file;
  if (file !== undefined)
    return await planMemoryRevert(instance, domain.uuid, { file, isForced, name, runs });
  const { decided, plan } = await planRevert(instance, domain.uuid, { name, isForced });
  if (!runs) return { ...plan, pauses: [] };
  const begins = beginningOf(instance, domain, { forceBoot: isForced });
  const start = await planStartAfter(instance, decided, begins);
  return { ...plan, ...joinStages([plan, { steps: start, after: "the domain starts:" }]) };
}

async function planMemoryRevert(
  instance: Instance,
  uuid: string,
  how: MemoryRevertOptions,
): Promise<StagedPlan> {
  const { found, image, made } = await decideMemoryFirst(instance, uuid, how);
  const { guest, name } = found.domain;
  const start = await planStartAfter(
    instance,
    { domain: made.running, images: made.change.images },
    beginningFrom(instance, { ...how, image, name }),
  );
  return joinStages([
    { steps: guest === undefined ? [] : planEnd(guest) },
    { steps: recordOf(instance, COMMAND, made.change).steps },
    { steps: start, after: "the domain starts with its saved memory:" },
  ]);
}

/** Revert to a snapshot with memory in a file. */
interface MemoryRevertOptions extends Revert {
  readonly file: string;
  readonly runs: boolean;
}

/** Returns how the guest continues from the memory of a snapshot. */
function beginningFrom(
  instance: Instance,
  { image, isForced, name, runs }: MemoryRevertOptions & { readonly image: SaveImage; readonly name: string },
): Beginning & { readonly incoming: Incoming } {
  const incoming = { from: image.file, at: image.streamAt, resumes: runs || image.wasRunning };
  return { incoming, ...(isForced ? { discards: managedSavePath(instance, name) } : {}) };
}

async function revertToMemory(
  instance: Instance,
  uuid: string,
  how: HowToRevert & { readonly file: string },
): Promise<void> {
  const { observer = NO_OBSERVER, onLeft } = how;
  // Refusals come before the guest is destroyed.
  const { found, image, named, time, ...first } = await decideMemoryFirst(instance, uuid, how);
  let { made } = first;
  const encryption = PLACE_OF_ENCRYPTION.revert;
  if (found.domain.guest !== undefined) {
    // Refuses a missing passphrase.
    await makeHeaders(instance, made.change.images, encryption);
    await destroyDomain(instance, uuid, { observer });
  }
  let former = { domain: definitionOf(found.domain), tree: found.tree };
  await changeImagesOff(instance, {
    command: COMMAND,
    uuid,
    named,
    encryption,
    decide(reading, definition, tree) {
      former = { domain: definition, tree };
      made = decideMemoryRevert(reading, { definition, tree, image, how, time });
      return made.change;
    },
  });
  try {
    const begins = beginningFrom(instance, { ...how, image, name: former.domain.name });
    await startFromState(instance, encode(made.running), { ...begins, observer });
  } catch (error) {
    await putBack(instance, { command: COMMAND, made: made.change, ...former });
    throw error;
  }
  listLeft(former.domain, made.change).forEach(onLeft);
}

/** Decides a revert to a snapshot with memory for the first time, and changes nothing. */
async function decideMemoryFirst(instance: Instance, uuid: string, how: Revert & { readonly file: string }) {
  const found = findSnapshots(instance, uuid);
  if (found.domain.guest !== undefined) refuseJobs(found.domain.guest);
  await refuseSilentPaths(instance.host, [how.file]);
  const image = readSaveImage(instance, how.file);
  const time = Number(defaultSnapshotName(instance));
  const decide = (reading: Instance, { domain, tree }: DomainSnapshots): MemoryRevert =>
    decideMemoryRevert(reading, { definition: definitionOf(domain), tree, image, how, time });
  const named = [
    ...found.tree.snapshots.flatMap(({ xml }) => listNamedPaths(xml)),
    ...listNamedPaths(image.xml),
  ];
  await refuseSilentPaths(instance.host, named);
  const asked = await askedHost(instance.host, (host) => decide({ ...instance, host }, found));
  return { found, image, named, time, made: decide({ ...instance, host: asked }, found) };
}

/** Change of an inactive domain, and the later running domain with the memory. */
interface MemoryRevert {
  readonly change: OffChange;
  readonly running: Domain;
}

function decideMemoryRevert(
  instance: Instance,
  given: {
    readonly definition: Domain;
    readonly tree: SnapshotTree;
    readonly image: SaveImage;
    readonly how: Revert;
    readonly time: number;
  },
): MemoryRevert {
  const { definition, how, image, time, tree } = given;
  const { name, uuid } = definition;
  const snapshot = snapshotIn(tree, how.name);
  const value = parseSnapshotText(snapshot.xml);
  const then = definitionIn(value);
  refuseMerging(instance, uuid, snapshot.name);
  if (then === undefined) throw refuseRisk.withoutDomain(snapshot.name, name);
  if (!how.isForced && hasManagedSave(instance, name)) throw refuseRisk.withSave(name);
  const saved = parseDomainText(image.xml);
  if (saved.uuid !== uuid || saved.name !== name) throw ofOther(image, saved, definition);
  // The checks of define, for both: anyone who may define a domain may have written the snapshot.
  const live = completeDomain(instance, encode(replaceImagesOf(saved, value)));
  const overlays = chooseOverlays(instance, live, { disks: value.disks, time });
  const running = placeOverlays(instance, live, { overlays, reuses: false });
  const domain = completeDomain(instance, encode({ ...then, name, uuid }));
  // A disk whose image the guest has not gets an overlay of its own, with another name.
  const own = chooseOverlays(instance, domain, { disks: value.disks, time: time + 1 }).map((overlay) => {
    const shared = overlays.find(({ disk }) => isSameImage(disk, overlay.disk));
    return shared === undefined ? overlay : { ...shared, disk: overlay.disk };
  });
  const placed = placeOverlays(instance, domain, { overlays: own, reuses: false });
  const after = revertTree(tree, snapshot, { domain, overlays: own });
  const shared = new Set(running.images.map(({ path }) => path));
  const images = [...running.images, ...placed.images.filter(({ path }) => !shared.has(path))];
  return { change: { domain: placed.domain, images, tree: after }, running: running.domain };
}

/**
 * Returns the domain of a saved state with the images of the snapshot's: a deleted snapshot's overlays are
 * merged into the images below, unknown to the file. qemuSnapshotRevertExternalPrepare() of libvirt
 */
function replaceImagesOf(saved: Domain, { domain }: Snapshot): Domain {
  const then = new Map<string, Disk>();
  if (domain !== undefined && "devices" in domain)
    for (const disk of domain.devices.disks) then.set(disk.target.dev, disk);
  const disks = saved.devices.disks.map((disk) => {
    const before = then.get(disk.target.dev);
    return before === undefined ? disk : replaceSource(disk, before);
  });
  return { ...saved, devices: { ...saved.devices, disks } };
}

function isSameImage(one: Disk, other: Disk): boolean {
  return one.target.dev === other.target.dev && imagePath(one) === imagePath(other);
}

function encode(domain: Parameters<typeof formatDomain>[0]): Uint8Array {
  return new TextEncoder().encode(formatDomain(domain));
}

/** Throws "wrong-state" for a guest without a definition. */
function definitionOf({ definition, name }: DomainSnapshots["domain"]): Domain {
  if (definition !== undefined) return parseDomainText(definition.xml);
  throw new SvirtError(`Requested operation is not valid: domain '${name}' runs without a definition`, {
    kind: "wrong-state",
    remedy: `Define it first: svirt dumpxml ${name} | svirt define -`,
  });
}

/** qemuDomainObjRestore() of libvirt */
function ofOther({ file }: SaveImage, saved: Domain, { name, uuid }: Domain): SvirtError {
  return new SvirtError(
    `operation failed: cannot restore domain '${name}' uuid ${uuid} from a file which belongs to domain '${saved.name}' uuid ${saved.uuid}: ${file.path}`,
    { kind: "failed", libvirt: "OPERATION_FAILED", remedy: "Choose another snapshot: svirt snapshot-list" },
  );
}
