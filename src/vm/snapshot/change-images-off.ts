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
import { storedDomain } from "../../qemu/stored-domain.ts";
import { listNamedPaths } from "../../resolve/definition-names.ts";
import { resolveDisk } from "../../resolve/files/disk.ts";
import { imageSize } from "../../resolve/image-size.ts";
import { imageReader } from "../../resolve/inspect-file.ts";
import { askedHost, refuseSilentPaths } from "../../resolve/silent-server.ts";
import {
  type LuksHeaders,
  makeImage,
  refuseWithoutHeader,
  removeImage,
} from "../../run/steps/block/make-image.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock, withRegistryLock } from "../../state/locks.ts";
import {
  removeSnapshotChange,
  type SnapshotChange,
  type SnapshotTree,
  writeSnapshotChange,
  writeSnapshots,
} from "../../state/snapshots/snapshots.ts";
import { luksOf, makeHeaders } from "../block/new-encryption.ts";
import { headerFormat, planNew } from "../block/new-image.ts";
import { inspectReused } from "../block/reused-image.ts";
import { refuseUnsuited } from "../block/running-disk.ts";
import { storeDomain } from "../define/define.ts";
import { type DomainSnapshots, findSnapshots } from "./find-snapshot.ts";
import { settleChange } from "./settle-snapshots.ts";

/** A new image for a disk of a domain that is off. */
export interface Overlay {
  readonly disk: Disk;
  readonly path: string;
  /** Secret with its passphrase, if it is encrypted. */
  readonly secret?: PassphraseName | undefined;
}

/** Decided change of the images of a domain that is off. */
export interface OffChange {
  /** The domain with its new images. */
  readonly domain: Domain;
  readonly images: SnapshotChange["images"];
  readonly tree: SnapshotTree;
}

/**
 * Makes the images of a change, stores the domain with them, and then its snapshots. The change is written
 * first: if svirt is killed, the next call finishes or undoes it. A failed change is undone. Throws
 * "wrong-state" with libvirt's message if the domain runs, or if an encrypted image has another path than in
 * the first decision, and the errors of the decision and the host. `named`: further paths to inspect;
 * `encryption`: where the XML encrypts the new images. `decide` is called twice, and only reads: first
 * without the registry's lock, since the header of each encrypted image takes half a second.
 */
export async function changeImagesOff(
  instance: Instance,
  {
    encryption,
    named = [],
    uuid,
  }: {
    readonly uuid: string;
    readonly named?: readonly string[];
    readonly encryption: string;
  },
  decide: (reading: Instance, definition: Domain, tree: SnapshotTree) => OffChange,
): Promise<void> {
  const decideOn = (host: Instance["host"], { domain, tree }: DomainSnapshots): OffChange =>
    decide({ ...instance, host }, parseDomainText(definitionOff(domain)), tree);
  await withGuestLock(instance, uuid, async () => {
    const before = findSnapshots(instance, uuid);
    definitionOff(before.domain);
    // A silent server must not delay others, waiting for the registry's lock.
    await refuseSilentPaths(instance.host, listPaths(before, named));
    // Before the first decision: a killed svirt may have left images at the paths of the new ones.
    await withRegistryLock(instance, async () => settleChange(instance, uuid));
    const seen = findSnapshots(instance, uuid);
    const asked = await askedHost(instance.host, (host) => decideOn(host, seen));
    const headers = await makeHeaders(instance, decideOn(asked, seen).images, encryption);
    await withRegistryLock(instance, async () => {
      carryOut(instance, decideOn(asked, findSnapshots(instance, uuid)), headers);
    });
  });
}

/**
 * Takes a change back: the domain has its former definition and snapshots again, and new images that are
 * still empty are removed. Does nothing if the domain runs, or has another definition than the change's.
 */
export async function putBack(
  instance: Instance,
  { made, ...former }: Omit<OffChange, "images"> & { readonly made: OffChange },
): Promise<void> {
  const { uuid } = former.domain;
  await withGuestLock(instance, uuid, () =>
    withRegistryLock(instance, async () => {
      const { definition, guest } = findSnapshots(instance, uuid).domain;
      if (guest !== undefined || definition?.xml !== formatDomain(made.domain)) return;
      carryOut(instance, { ...former, images: [] }, new Map());
      for (const image of made.images) removeImage(instance.host, { do: "remove-image", ...image });
    }),
  );
}

/** Lists the paths of the domain's disks, of its snapshots' disks, and further paths. */
function listPaths({ domain, tree }: DomainSnapshots, named: readonly string[]): readonly string[] {
  const texts = [domain.definition?.xml ?? "", ...tree.snapshots.map(({ xml }) => xml)];
  return [...new Set([...texts.flatMap(listNamedPaths), ...named])];
}

function carryOut(instance: Instance, { domain, images, tree }: OffChange, headers: LuksHeaders): void {
  const { name, uuid } = domain;
  refuseWithoutHeader(images, headers);
  writeSnapshotChange(instance, uuid, { name, images, definition: formatDomain(domain), tree });
  try {
    for (const image of images) makeImage(instance.host, { do: "make-image", ...image }, headers);
    storeDomain(instance, domain);
  } catch (error) {
    settleChange(instance, uuid);
    throw error;
  }
  writeSnapshots(instance, uuid, tree);
  removeSnapshotChange(instance, uuid);
}

/** Result of placeOverlays(): a domain with new images, and svirt's images among them. */
interface Placed {
  readonly domain: Domain;
  readonly images: SnapshotChange["images"];
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
  const images: SnapshotChange["images"] = [];
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
): SnapshotChange["images"][number] {
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
