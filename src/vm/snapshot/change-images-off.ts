import type { Disk } from "../../domain/devices/disk/disk.ts";
import { replaceImages, writesBelow } from "../../domain/devices/disk/images.ts";
import { type PassphraseName, passphrasesOf } from "../../domain/devices/disk/secrets.ts";
import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { listDisk } from "../../domain/resources/disk.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { FoundElement } from "../../images/chain.ts";
import { refuseOthersDisk } from "../../labelling/refuse-others-disk.ts";
import type { RecordedChange } from "../../plan/change/object-change.ts";
import type { Step, StepOf } from "../../plan/steps/step.ts";
import { storedDomain } from "../../qemu/stored-domain.ts";
import { keepCompleted } from "../../resolve/completed-definition.ts";
import { listNamedPaths } from "../../resolve/definition-names.ts";
import { resolveDisk } from "../../resolve/files/disk.ts";
import { imageSize } from "../../resolve/image-size.ts";
import { imageReader } from "../../resolve/inspect-file.ts";
import { askedHost, refuseSilentPaths } from "../../resolve/silent-server.ts";
import { refuseWithoutHeader } from "../../run/steps/block/make-image.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import { readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock, withRegistryLock } from "../../state/locks.ts";
import { type SnapshotTree, snapshotsStep } from "../../state/snapshots/snapshots.ts";
import { luksOf, makeHeaders } from "../block/new-encryption.ts";
import { headerFormat, planNew } from "../block/new-image.ts";
import { inspectReused } from "../block/reused-image.ts";
import { refuseUnsuited } from "../block/running-disk.ts";
import { storingSteps } from "../define/define.ts";
import { carryOut } from "../object-change/carry-out.ts";
import { settleDomain } from "../object-change/settle.ts";
import { type DomainSnapshots, findSnapshots } from "./find-snapshot.ts";

/** A new image for a disk of a domain that is off. */
export interface Overlay {
  readonly disk: Disk;
  readonly path: string;
  /** Secret with its passphrase, if it is encrypted. */
  readonly secret?: PassphraseName | undefined;
}

type NewImages = Pick<StepOf<"make-image">, "path" | "image">[];

/** Decided change of the images of a domain that is off. */
export interface OffChange {
  /** The domain with its new images. */
  readonly domain: Domain;
  readonly images: NewImages;
  readonly tree: SnapshotTree;
}

/** Change of the images of a domain that is off. */
interface OffRequest {
  /** Command for the operator, such as `snapshot-revert`. */
  readonly command: string;
  readonly uuid: string;
  /** Further paths to inspect. */
  readonly named?: readonly string[];
  /** Place of the `<encryption>` of the new images in the XML. */
  readonly encryption: string;
  readonly observer?: StepObserver;
  /** Decides, and only reads. It may be called more than once. */
  decide(reading: Instance, definition: Domain, tree: SnapshotTree): OffChange;
}

/**
 * Makes the images of a change, stores the domain with them, and then its snapshots, as a recorded change: if
 * svirt is killed, the next call finishes or undoes it. A failed change is undone. Throws "wrong-state" with
 * libvirt's message if the domain runs, or if an encrypted image has another path than in the first decision,
 * and the errors of the decision and the host.
 */
export async function changeImagesOff(instance: Instance, request: OffRequest): Promise<void> {
  const { encryption, observer, uuid } = request;
  await withGuestLock(instance, uuid, async () => {
    // A silent server must not delay others, waiting for the registry's lock.
    await refuseSilentOff(instance, request);
    // Before the first decision: a killed svirt may have left images at the paths of the new ones.
    await withRegistryLock(instance, async () => await settleDomain(instance, uuid));
    const { asked, change } = await decideFirst(instance, request);
    // Without the registry's lock, since the header of each encrypted image takes half a second.
    const headers = await makeHeaders(instance, change.images, encryption);
    let stored = change.domain;
    await carryOut(
      instance,
      {
        kind: "domain",
        plan(held) {
          const now = decideOff(held, asked, request);
          refuseWithoutHeader(now.images, headers);
          stored = now.domain;
          return { change: recordOf(held, request.command, now), result: undefined, headers };
        },
        refresh: (held) => keepStored(held, stored),
      },
      observer,
    );
  });
}

/** Planned change of the images of a domain that is off. */
export interface PlannedImages {
  readonly plan: RecordedChange;
  readonly decided: OffChange;
}

/**
 * Returns the steps of changeImagesOff(), and changes nothing. Throws the same errors, but reads no
 * passphrase for new images.
 */
export async function planImagesOff(instance: Instance, request: OffRequest): Promise<PlannedImages> {
  await refuseSilentOff(instance, request);
  const { change } = await decideFirst(instance, request);
  return { plan: recordOf(instance, request.command, change), decided: change };
}

/**
 * Takes a change back: the domain has its former definition and snapshots again, and new images that are
 * still empty are removed. Does nothing if the domain runs, or has another definition than the change's.
 */
export async function putBack(
  instance: Instance,
  {
    command,
    made,
    ...former
  }: Omit<OffChange, "images"> & { readonly command: string; readonly made: OffChange },
): Promise<void> {
  const { uuid } = former.domain;
  await withGuestLock(instance, uuid, async () => {
    await carryOut(instance, {
      kind: "domain",
      plan(held) {
        const { definition, guest } = findSnapshots(held, uuid).domain;
        const isMade = guest === undefined && definition?.xml === formatDomain(made.domain);
        if (!isMade) return { change: undefined, result: undefined };
        const removed = made.images.map((image) => ({ do: "remove-image", ...image }) as const);
        return { change: recordOf(held, command, { ...former, images: [], removed }), result: undefined };
      },
      refresh: (held) => keepStored(held, former.domain),
    });
  });
}

/** Throws as refuseSilentPaths() for the paths of a domain; "wrong-state" if it runs. */
async function refuseSilentOff(instance: Instance, { named = [], uuid }: OffRequest): Promise<void> {
  const before = findSnapshots(instance, uuid);
  definitionOff(before.domain);
  await refuseSilentPaths(instance.host, listPaths(before, named));
}

/** Decides for the first time, and returns the host with what servers have answered meanwhile. */
async function decideFirst(
  instance: Instance,
  request: OffRequest,
): Promise<{ readonly asked: Instance["host"]; readonly change: OffChange }> {
  const asked = await askedHost(instance.host, (host) => decideOff(instance, host, request));
  return { asked, change: decideOff(instance, asked, request) };
}

function decideOff(instance: Instance, host: Instance["host"], { decide, uuid }: OffRequest): OffChange {
  const { domain, tree } = findSnapshots(instance, uuid);
  return decide({ ...instance, host }, parseDomainText(definitionOff(domain)), tree);
}

/**
 * Returns the steps of a change: the new images, the definition that decides about an interruption, the
 * snapshots, and removals of images.
 */
export function recordOf(
  instance: Instance,
  command: string,
  { domain, images, removed = [], tree }: OffChange & { readonly removed?: readonly Step[] },
): RecordedChange {
  const { name, uuid } = domain;
  const stored = storingSteps(instance, domain).map((step) =>
    // Another command may change other parts of the definition before an interruption is settled.
    step.do === "replace-text" ? { ...step, names: images.map(({ path }) => path) } : step,
  );
  const steps = [
    ...images.map((image) => ({ do: "make-image", ...image }) as const),
    ...stored,
    snapshotsStep(instance, uuid, tree),
    ...removed,
  ];
  const commit = steps.findIndex((step) => step.do === "replace-text");
  return { object: { kind: "domain", key: uuid }, what: `${command} ${name}`, steps, commit };
}

function keepStored(instance: Instance, domain: Domain): void {
  const { name, uuid } = domain;
  const xml = formatDomain(domain);
  if (readDefinition(instance, name)?.xml === xml) keepCompleted(instance, { name, uuid, xml }, domain);
}

/** Lists the paths of the domain's disks, of its snapshots' disks, and further paths. */
function listPaths({ domain, tree }: DomainSnapshots, named: readonly string[]): readonly string[] {
  const texts = [domain.definition?.xml ?? "", ...tree.snapshots.map(({ xml }) => xml)];
  return [...new Set([...texts.flatMap(listNamedPaths), ...named])];
}

/** Result of placeOverlays(): a domain with new images, and svirt's images among them. */
interface Placed {
  readonly domain: Domain;
  readonly images: NewImages;
}

/**
 * Puts new images on images of a domain's disks. Throws "unsupported" for a disk with unchangeable images,
 * "in-use" for an existing path, and the errors of the images.
 */
export function placeOverlays(
  instance: Instance,
  domain: Domain,
  { overlays, reuses }: { readonly overlays: readonly Overlay[]; readonly reuses: boolean },
): Placed {
  const images: NewImages = [];
  const changed = new Map<string, Disk>();
  for (const { disk, path, secret } of overlays) {
    const target = disk.target.dev;
    refuseUnsuited(disk);
    const chain = chainOf(instance, domain.uuid, disk);
    const [top] = chain;
    const secrets = passphrasesOf(disk);
    const below = chain
      .filter(({ role }) => role !== "data-file")
      .map((image, at) => ({ ...image, secret: secrets[at] }));
    if (top === undefined) throw new Error("a disk without an image is changed");
    if (reuses)
      inspectReused(instance, {
        image: { path, format: "qcow2", ...(secret === undefined ? {} : { isEncrypted: true }) },
        below: { found: top },
        missing: `missing existing file for disk ${target}: ${path}`,
        isWritten: writesBelow(disk, below),
      });
    else images.push(newImage(instance, { disk, path, secret }, top));
    changed.set(
      target,
      replaceImages(disk, [
        {
          path: (reuses ? undefined : images.at(-1)?.path) ?? path,
          format: "qcow2",
          storage: "file",
          secret,
        },
        ...below,
      ]),
    );
  }
  const disks = domain.devices.disks.map((disk) => changed.get(disk.target.dev) ?? disk);
  const placed = { ...domain, devices: { ...domain.devices, disks } };
  // Keeps the choices made when the domain was defined, even if the host has changed.
  return { domain: storedDomain(parseDomainText(formatDomain(placed))), images };
}

function newImage(
  instance: Instance,
  { disk, path, secret }: Overlay,
  top: FoundElement<FileFacts>,
): NewImages[number] {
  const { do: _, ...image } = planNew(instance, {
    path,
    image: {
      format: "qcow2",
      sizeBytes: imageSize(instance, top),
      backing: { path: top.path, format: headerFormat(top) },
      ...luksOf(secret),
    },
    taken: `external snapshot file for disk ${disk.target.dev} already exists and is not a block device`,
  });
  return image;
}

/**
 * Returns the images of a disk as a start finds them, its own first. Throws as resolveDisk(); "in-use" for
 * another domain's disk that only a header names: in the XML, a start would not doubt it any more.
 */
function chainOf(instance: Instance, uuid: string, disk: Disk): readonly FoundElement<FileFacts>[] {
  const own = listDisk(disk).find((resource) => resource.kind === "disk");
  const images = own === undefined ? [] : resolveDisk(imageReader(instance), own);
  const files = images.map(({ element, ...image }) => ({
    ...image,
    named: element.path,
    facts: element.facts,
  }));
  refuseOthersDisk(instance, uuid, files);
  return images.map(({ element }) => element);
}

/** Returns the XML of a domain that is off. Throws "wrong-state". */
function definitionOff({ definition, guest, name }: DomainSnapshots["domain"]): string {
  if (guest === undefined && definition !== undefined) return definition.xml;
  throw new SvirtError(`Requested operation is not valid: domain '${name}' is running`, {
    kind: "wrong-state",
    remedy: `End it first: svirt shutdown ${name}`,
  });
}
