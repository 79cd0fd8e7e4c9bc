import { asDefined } from "../../domain/as-defined.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import { isDiskNamed, isReadOnly } from "../../domain/devices/disk/facts.ts";
import { imagePath, writesBelow } from "../../domain/devices/disk/images.ts";
import { type Encryption, encryptionOf, type PassphraseName } from "../../domain/devices/disk/secrets.ts";
import { parseDomainText } from "../../domain/document.ts";
import { formatSnapshot } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import type { BlockJob } from "../../plan/facts/block-job.ts";
import { isMonitorStep } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import { imageSize } from "../../resolve/image-size.ts";
import { readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { refuseFull, refuseUnreadable } from "../../state/snapshots/snapshot-tree.ts";
import { readSnapshots } from "../../state/snapshots/snapshots.ts";
import type { ChangeRequest, DecidedChange } from "../change/change-guest.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { describeSnapshot } from "./describe-snapshot.ts";
import { luksOf, makeHeaders, PLACE_OF_ENCRYPTION, passphraseIn } from "./new-encryption.ts";
import { headerFormat, placeOfNew, planNew, plugImage } from "./new-image.ts";
import { inspectReused } from "./reused-image.ts";
import { findRunningDisk, linkOf, listImagePaths, nodesOf, type RunningDisk } from "./running-disk.ts";

/** Options for one disk of a snapshot. */
export interface SnapshotDisk {
  /** The disk's target or source. */
  readonly name: string;
  readonly snapshot: string | undefined;
  readonly driver: string | undefined;
  readonly file: string | undefined;
  /** Encryption of the overlay; undefined: it has none, which is refused above an encrypted image. */
  readonly encryption?: Encryption | undefined;
}

/** Options of a snapshot of disks only. */
export interface SnapshotOptions {
  readonly name: string;
  readonly disks: readonly SnapshotDisk[];
  /** The overlays already exist. */
  readonly reuses: boolean;
  /** The snapshot is stored, so that it can be listed; absent: only its images are made. */
  readonly kept?: { readonly description: string | undefined };
}

const MS_PER_SECOND = 1000;

/** Returns the name of a snapshot that has none: the seconds since 1970, as in libvirt. */
export function defaultSnapshotName({ host }: Instance): string {
  return String(Math.floor(host.nowMs() / MS_PER_SECOND));
}

/** Creates, labels and opens overlays for the disks of a running guest. QEMU does not use them yet. */
export function snapshotLive(instance: Instance, options: SnapshotOptions): ChangeRequest {
  const make = (guest: GuestRecord): readonly MakeImage[] => {
    refuseKept(instance, guest.uuid, options);
    return options.reuses
      ? []
      : listOverlays(instance, guest, options).map((one) => makeOverlay(instance, one));
  };
  const isEncrypted = options.disks.some(({ encryption }) => encryption !== undefined);
  return {
    what: `snapshot ${options.name}`,
    paths: (guest) => listImagePaths(guest, ...options.disks.flatMap(({ file }) => file ?? [])),
    make,
    ...(isEncrypted
      ? { headers: (guest) => makeHeaders(instance, make(guest), PLACE_OF_ENCRYPTION.snapshot) }
      : {}),
    decide: (guest) => decideSnapshot(instance, guest, options),
  };
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

function decideSnapshot(instance: Instance, guest: GuestRecord, options: SnapshotOptions): DecidedChange {
  const lead: Step[] = [];
  const steps: Step[] = [];
  const jobs: BlockJob[] = [];
  const overlays = listOverlays(instance, guest, options);
  const snapshot = describeTaken(instance, guest, { options, overlays });
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
      ...(snapshot === undefined || jobs.length > 0 ? {} : { snapshot }),
    });
  }
  return {
    steps: [...lead, ...steps],
    after: [],
    xml: guest.xml,
    jobs: [...(guest.jobs ?? []), ...jobs],
  };
}

/** Returns the XML of a snapshot that is stored; undefined for one that is not. */
function describeTaken(
  instance: Instance,
  guest: GuestRecord,
  { options, overlays }: { readonly options: SnapshotOptions; readonly overlays: readonly Overlay[] },
): string | undefined {
  if (options.kept === undefined) return undefined;
  refuseKept(instance, guest.uuid, options);
  const definition = readDefinition(instance, guest.name);
  const taken = describeSnapshot({
    name: options.name,
    description: options.kept.description,
    state: "disk-snapshot",
    createdAt: Math.floor(instance.host.nowMs() / MS_PER_SECOND),
    domain: asDefined(parseDomainText(guest.xml)),
    inactiveDomain: definition?.uuid === guest.uuid ? parseDomainText(definition.xml) : undefined,
    overlays: new Map(overlays.map(({ disk, path, secret }) => [disk.disk.target.dev, { path, secret }])),
  });
  refuseUnreadable(taken);
  return formatSnapshot(taken);
}

/** Throws "in-use" with libvirt's message if a stored snapshot has the name; "unsupported" if there are too many. virDomainMomentAssignDef() of libvirt */
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

/** Returns the disks that get an overlay, with its path and passphrase. Throws "usage", "unsupported". virDomainSnapshotAlignDisks() of libvirt */
export function chooseOverlays(
  disks: readonly Disk[],
  options: Pick<SnapshotOptions, "disks" | "name">,
): readonly {
  readonly disk: Disk;
  readonly path: string;
  readonly secret: PassphraseName | undefined;
}[] {
  const said = new Map<Disk, SnapshotDisk>();
  for (const one of options.disks) {
    const disk = disks.find((found) => isDiskNamed(found, one.name));
    if (disk === undefined)
      throw misnamed(`no disk named '${one.name}'`, "svirt domblklist lists the disks.");
    if (said.has(disk)) throw misnamed(`disk '${disk.target.dev}' specified twice`, "Name each disk once.");
    said.set(disk, one);
  }
  const chosen = disks.filter((disk) => isExternal(disk, said.get(disk)));
  if (chosen.length === 0) throw unsuited("nothing selected for snapshot", "Name a disk: --diskspec vda");
  return chosen.map((disk) => {
    const { encryption, file = defaultPath(disk, options.name) } = said.get(disk) ?? {};
    const target = disk.target.dev;
    const secret = passphraseIn(encryption, target, PLACE_OF_ENCRYPTION.snapshot);
    if (secret === undefined && encryptionOf(disk) !== undefined) throw unencrypted(target);
    return { disk, path: file, secret };
  });
}

/** libvirt makes an overlay that is not encrypted. */
function unencrypted(target: string): SvirtError {
  return new SvirtError(
    `Operation not supported: disk '${target}' is encrypted, and the snapshot's overlay would not be`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: `Write <encryption> in the <source> of <disk name='${target}'> in the snapshot's XML: svirt snapshot-create DOMAIN FILE --disk-only`,
    },
  );
}

function isExternal(disk: Disk, said: SnapshotDisk | undefined): boolean {
  const { snapshot = disk.snapshot ?? (isChangeable(disk) ? "external" : "no") } = said ?? {};
  if (snapshot === "no" || snapshot === "manual") return false;
  const target = disk.target.dev;
  if (snapshot !== "external") {
    throw new SvirtError(
      `unsupported configuration: svirt does not create ${snapshot} snapshots, as requested for disk '${target}'`,
      {
        kind: "usage",
        libvirt: "CONFIG_UNSUPPORTED",
        from: "QEMU",
        remedy: `Write snapshot=external or snapshot=no: --diskspec ${target},snapshot=external`,
      },
    );
  }
  const format = said?.driver ?? "qcow2";
  if (format === "qcow2") return true;
  throw unsuited(
    `external snapshot format for disk ${target} is unsupported: ${format}`,
    "Write driver=qcow2.",
  );
}

function isChangeable(disk: Disk): boolean {
  return disk.source !== undefined && !isReadOnly(disk);
}

/**
 * Returns a path in the folder of the disk's own image, with the snapshot's name as suffix.
 * virDomainSnapshotDefAssignExternalNames()
 */
function defaultPath(disk: Disk, name: string): string {
  const target = disk.target.dev;
  if (disk.type !== "file") {
    throw misnamed(
      `cannot generate external snapshot name for disk '${target}' on a '${disk.type}' device`,
      `Name the overlay: --diskspec ${target},file=PATH`,
    );
  }
  return `${(imagePath(disk) ?? "").replace(/\.[^./]*$/, "")}.${name}`;
}

/** Returns a refusal of virDomainSnapshotAlignDisks() of libvirt. */
export function misnamed(message: string, remedy: string): SvirtError {
  return new SvirtError(message, {
    kind: "usage",
    libvirt: "CONFIG_UNSUPPORTED",
    from: "DOMAIN_SNAPSHOT",
    remedy,
  });
}

/** Returns a refusal of qemuSnapshotPrepare() of libvirt. */
function unsuited(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "usage", libvirt: "CONFIG_UNSUPPORTED", from: "QEMU", remedy });
}
