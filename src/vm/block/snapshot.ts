import { asDefined } from "../../domain/definition-of-running.ts";
import { writesBelow } from "../../domain/devices/disk/images.ts";
import type { PassphraseName } from "../../domain/devices/disk/secrets.ts";
import { parseDomainText } from "../../domain/document.ts";
import { formatSnapshot } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import type { BlockJob, SnapshotMemory } from "../../plan/facts/block-job.ts";
import { isMonitorStep } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import { imageSize } from "../../resolve/image-size.ts";
import { readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { refuseFull, refuseUnreadable } from "../../state/snapshots/snapshot-limits.ts";
import { readSnapshots } from "../../state/snapshots/snapshots.ts";
import type { ChangeQuery, ChangeRequest, DecidedChange } from "../change/change-guest.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { chooseOverlays } from "./choose-overlays.ts";
import { describeSnapshot } from "./describe-snapshot.ts";
import { luksOf, makeHeaders, PLACE_OF_ENCRYPTION } from "./new-encryption.ts";
import { headerFormat, placeOfNew, planNew, plugImage } from "./new-image.ts";
import { inspectReused } from "./reused-image.ts";
import { findRunningDisk, linkOf, listImagePaths, nodesOf, type RunningDisk } from "./running-disk.ts";
import { type AskedMemory, type DecidedMemory, decideMemory, lookAtMemory } from "./snapshot-memory.ts";
import type { SnapshotOptions } from "./snapshot-options.ts";

const MS_PER_SECOND = 1000;

/** Returns the name of a snapshot that has none: the seconds since 1970, as in libvirt. */
export function defaultSnapshotName({ host }: Instance): string {
  return String(Math.floor(host.nowMs() / MS_PER_SECOND));
}

/** Snapshot of a running guest: its options, and the written memory. */
type Asked = SnapshotOptions & { readonly asked?: AskedMemory };

/**
 * Creates, labels and opens overlays for the disks of a running guest. QEMU does not use them yet. If the
 * snapshot has the guest's memory, writes it: the guest stays stopped until its disks are switched.
 */
export function snapshotLive(instance: Instance, options: SnapshotOptions): ChangeRequest | ChangeQuery {
  const { memory } = options;
  if (memory === undefined) return snapshotNow(instance, options);
  return {
    what: `snapshot ${options.name}`,
    look: async (guest) =>
      snapshotNow(instance, { ...options, asked: await lookAtMemory(instance, guest, memory) }),
  };
}

/** As snapshotLive(), for a guest without questions to its QEMU. */
export function snapshotNow(instance: Instance, options: Asked): ChangeRequest {
  const make = (guest: GuestRecord): readonly MakeImage[] => {
    refuseKept(instance, guest.uuid, options);
    if (options.asked !== undefined) decideMemory(instance, guest, options.asked);
    return options.reuses
      ? []
      : listOverlays(instance, guest, options).map((one) => makeOverlay(instance, one));
  };
  const isEncrypted = options.disks.some(({ encryption }) => encryption !== undefined);
  return {
    what: `snapshot ${options.name}`,
    paths: (guest) => listImagePaths(guest, ...listNamed(options)),
    make,
    ...(isEncrypted
      ? { headers: (guest) => makeHeaders(instance, make(guest), PLACE_OF_ENCRYPTION.snapshot) }
      : {}),
    decide: (guest) => decideSnapshot(instance, guest, options),
  };
}

function listNamed({ disks, memory }: SnapshotOptions): readonly string[] {
  return [...disks.flatMap(({ file }) => file ?? []), ...(memory === undefined ? [] : [memory])];
}

interface Overlay {
  readonly disk: RunningDisk;
  readonly path: string;
  readonly secret: PassphraseName | undefined;
}

type MakeImage = Extract<Step, { do: "make-image" }>;

function makeOverlay(instance: Instance, { disk, path, secret }: Overlay): MakeImage {
  const [{ found }] = disk.images;
  const backing = { path: found.path, format: headerFormat(found) };
  return planNew(instance, {
    path,
    image: { format: "qcow2", sizeBytes: imageSize(instance, found), backing, ...luksOf(secret) },
    taken: `external snapshot file for disk ${disk.disk.target.dev} already exists and is not a block device`,
  });
}

function decideSnapshot(instance: Instance, guest: GuestRecord, options: Asked): DecidedChange {
  const { lead: first, memory, steps: last } = memoryOf(instance, guest, options);
  const lead: Step[] = [];
  const steps: Step[] = [];
  const jobs: BlockJob[] = [];
  const overlays = listOverlays(instance, guest, options);
  const snapshot = describeTaken(instance, guest, { options, overlays, memory });
  const stored = {
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(memory === undefined ? {} : { memory }),
  };
  for (const overlay of overlays) {
    const { disk, path, secret } = overlay;
    const facts = options.reuses ? findOverlay(instance, overlay) : undefined;
    // Numbers follow those of the previous overlays.
    const now = { ...guest, steps: [...guest.steps, ...lead, ...steps] };
    const wanted = { path, format: "qcow2", storage: "file", secret, facts } as const;
    const plugged = plugImage(instance, now, { disk, wanted });
    // QEMU reads a passphrase between its file's making and removal.
    const opens = plugged.steps.findIndex((step) => step.do === "write-secret" || isMonitorStep(step));
    lead.push(...plugged.steps.slice(0, opens));
    steps.push(...plugged.steps.slice(opens));
    jobs.push({
      type: "snapshot",
      disk: disk.disk.target.dev,
      device: disk.device,
      before: nodesOf(disk),
      chain: [plugged.link, ...disk.images.map(linkOf)],
      ...(options.reuses ? {} : { made: placeOfNew(instance, path) }),
      ...(jobs.length > 0 ? {} : stored),
    });
  }
  return {
    steps: [...first, ...lead, ...steps, ...last],
    after: [],
    xml: guest.xml,
    jobs: [...(guest.jobs ?? []), ...jobs],
  };
}

function memoryOf(
  instance: Instance,
  guest: GuestRecord,
  { asked }: Asked,
): Omit<DecidedMemory, "memory"> & { readonly memory?: SnapshotMemory } {
  return asked === undefined ? { lead: [], steps: [] } : decideMemory(instance, guest, asked);
}

/** Returns the XML of a stored snapshot; undefined for another. */
function describeTaken(
  instance: Instance,
  guest: GuestRecord,
  {
    memory,
    options,
    overlays,
  }: {
    readonly options: SnapshotOptions;
    readonly overlays: readonly Overlay[];
    readonly memory: SnapshotMemory | undefined;
  },
): string | undefined {
  if (options.kept === undefined) return undefined;
  refuseKept(instance, guest.uuid, options);
  const definition = readDefinition(instance, guest.name);
  const taken = describeSnapshot({
    name: options.name,
    description: options.kept.description,
    state: stateOf(memory),
    memory: memory?.path,
    createdAt: Math.floor(instance.host.nowMs() / MS_PER_SECOND),
    domain: asDefined(parseDomainText(guest.xml)),
    inactiveDomain: definition?.uuid === guest.uuid ? parseDomainText(definition.xml) : undefined,
    overlays: new Map(overlays.map(({ disk, path, secret }) => [disk.disk.target.dev, { path, secret }])),
  });
  refuseUnreadable(taken);
  return formatSnapshot(taken);
}

function stateOf(memory: SnapshotMemory | undefined): "disk-snapshot" | "running" | "paused" {
  if (memory === undefined) return "disk-snapshot";
  return memory.wasRunning ? "running" : "paused";
}

/**
 * Throws "in-use" with libvirt's message if a stored snapshot has the name; "unsupported" if there are too
 * many. virDomainMomentAssignDef() of libvirt
 */
export function refuseKept(
  instance: Instance,
  uuid: string,
  { kept, name }: Pick<SnapshotOptions, "kept" | "name">,
): void {
  if (kept === undefined) return;
  const tree = readSnapshots(instance, uuid);
  refuseFull(tree, name);
  if (tree.snapshots.every((one) => one.name !== name)) return;
  throw new SvirtError(`operation failed: domain moment ${name} already exists`, {
    kind: "in-use",
    libvirt: "OPERATION_FAILED",
    from: "DOMAIN",
    remedy: "Choose another name, or forget that snapshot: svirt snapshot-delete --metadata",
  });
}

function findOverlay(instance: Instance, { disk, path, secret }: Overlay) {
  return inspectReused(instance, {
    image: { path, format: "qcow2", ...(secret === undefined ? {} : { isEncrypted: true }) },
    below: disk.images[0],
    missing: `missing existing file for disk ${disk.disk.target.dev}: ${path}`,
    isWritten: writesBelow(disk.disk, disk.images),
  });
}

/** Lists an overlay for each disk that can change, unless the options exclude it. */
function listOverlays(instance: Instance, guest: GuestRecord, options: SnapshotOptions): Overlay[] {
  const { disks } = runningGuest(guest).domain.devices;
  return chooseOverlays(disks, options).map(({ disk, ...overlay }) => ({
    disk: findRunningDisk(instance, guest, disk.target.dev),
    ...overlay,
  }));
}
