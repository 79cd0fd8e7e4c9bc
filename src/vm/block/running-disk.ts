import type { BackingStore } from "../../domain/devices/disk/backing-store.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import { isDiskNamed, isReadOnly } from "../../domain/devices/disk/facts.ts";
import { imagePath } from "../../domain/devices/disk/images.ts";
import { type PassphraseName, passphrasesOf } from "../../domain/devices/disk/secrets.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { FoundElement } from "../../images/chain.ts";
import type { BlockFacts } from "../../plan/actions/block.ts";
import type { ChainLink } from "../../plan/facts/block-job.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { guestPaths } from "../../plan/paths.ts";
import { listLayers, type RecordedImage } from "../../plan/record/disk-chain.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import { listClaimed } from "../../plan/record/released-resources.ts";
import { driveId } from "../../qemu/hotplug/plug.ts";
import { isDirect } from "../../qemu/launch.ts";
import type { Guest } from "../../qemu/model/guest.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { refuseBusyDisk } from "../guest/refuse-busy.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { labelDecisionOf, resolveDevice } from "../hotplug/new-files.ts";

/** Image of a disk: as QEMU has it, and as inspected on the host. */
export interface RunningImage {
  readonly layer: RecordedImage;
  readonly found: FoundElement<FileFacts>;
  /** Secret with the passphrase of an encrypted image. */
  readonly secret?: PassphraseName | undefined;
}

/** Disk of a running guest with changeable images. */
export interface RunningDisk {
  readonly domain: Domain;
  readonly guest: Guest;
  readonly disk: Disk;
  /** Id of its device in QEMU. */
  readonly device: string;
  /** Top first. */
  readonly images: readonly [RunningImage, ...RunningImage[]];
  readonly facts: BlockFacts;
}

/**
 * Finds a disk by its target or source, with all its images. QEMU's images are known from svirt's own
 * commands; the images' headers must still agree. Throws "not-found", "wrong-state", "unsupported", "denied".
 */
export function findRunningDisk(instance: Instance, record: GuestRecord, name: string): RunningDisk {
  const { domain, guest } = runningGuest(record);
  const disk = domain.devices.disks.find((one) => isDiskNamed(one, name));
  if (disk === undefined) {
    throw new SvirtError(`invalid argument: disk '${name}' not found in domain`, {
      kind: "not-found",
      libvirt: "INVALID_ARG",
      remedy: `svirt domblklist ${record.name} lists the disks.`,
    });
  }
  refuseBusyDisk(record, { element: "disk", value: disk });
  refuseUnsuited(disk);
  const device = driveId(guest, disk);
  const images = findImages(instance, record, { disk, device });
  return { domain, guest, disk, device, images, facts: factsFor(instance, record, disk) };
}

/**
 * Lists the paths inspected by a change of a disk's images: the guest's files, and the files in the change.
 */
export function listImagePaths({ steps }: GuestRecord, ...named: readonly string[]): readonly string[] {
  return [...listClaimed(steps).flatMap(({ path }) => path ?? []), ...named];
}

/** Returns the facts of a guest and a disk for planning. */
export function factsFor(instance: Instance, record: GuestRecord, { driver }: Disk): BlockFacts {
  const { contentLabel, imageLabel, relabel } = labelDecisionOf(instance, record);
  return {
    monitor: guestPaths(instance.paths, record.uuid).monitor,
    direct: isDirect(driver?.cache),
    labels: { private: relabel ? imageLabel : undefined, content: relabel ? contentLabel : undefined },
  };
}

/** Returns an image as a job's result names it. */
export function linkOf({ found, layer, secret }: RunningImage): ChainLink {
  const { format, path, storage } = found;
  return { node: layer.node, path, format, storage, ...recordedSecret(secret) };
}

/** Returns the name of an image's secret as the record has it. */
export function recordedSecret(secret: PassphraseName | undefined): Pick<ChainLink, "secret"> {
  return secret === undefined ? {} : { secret: recordedName(secret) };
}

/** Returns the name of a secret as the record has it. */
export function recordedName({ usage, uuid }: PassphraseName): NonNullable<ChainLink["secret"]> {
  return { ...(uuid === undefined ? {} : { uuid }), ...(usage === undefined ? {} : { usage }) };
}

/** Returns the block nodes of a disk's images, top first. */
export function nodesOf({ images }: RunningDisk): string[] {
  return images.map(({ layer }) => layer.node);
}

function findImages(
  instance: Instance,
  record: GuestRecord,
  { device, disk }: { readonly disk: Disk; readonly device: string },
): RunningDisk["images"] {
  const layers = listLayers(listQemuObjects(record.steps), device);
  const { chains } = resolveDevice(instance, { element: "disk", value: disk });
  const found = chains.get(disk.target.dev)?.filter(({ role }) => role !== "data-file") ?? [];
  const secrets = passphrasesOf(disk);
  const images = layers.flatMap((layer, at) => {
    const element = found[at];
    if (element === undefined || !hasFile(layer, element.facts)) return [];
    return [{ layer, found: element, secret: secrets[at] }];
  });
  const [top, ...below] = images;
  if (top !== undefined && images.length === layers.length && images.length === found.length)
    return [top, ...below];
  throw new SvirtError(
    `Cannot change the images of ${disk.target.dev}: QEMU's images are not those that svirt passed to it`,
    {
      kind: "denied",
      remedy: `Compare the image headers: qemu-img info -U --backing-chain ${imagePath(disk) ?? ""}`,
    },
  );
}

function hasFile({ files }: RecordedImage, { id }: FileFacts): boolean {
  return [...files.values()].some((file) => fileKey(file) === fileKey(id));
}

/**
 * Throws "unsupported" for a disk whose images may be used by other guests, are read-only, or have labels
 * from the XML.
 */
export function refuseUnsuited(disk: Disk): void {
  const why = unsuited(disk);
  if (why === undefined) return;
  throw new SvirtError(
    `Operation not supported: the images of disk '${disk.target.dev}' are not changed: ${why}`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Name another disk.",
    },
  );
}

function unsuited(disk: Disk): string | undefined {
  if (disk.type !== "file" && disk.type !== "block") return `it is of type '${disk.type}'`;
  if (disk.source === undefined) return "it is empty";
  if (isReadOnly(disk)) return "it is read-only";
  if (disk.device !== undefined && disk.device !== "disk") return `it is a ${disk.device}`;
  if (disk.shareable) return "it is shareable";
  if (disk.transient !== undefined) return "it is transient";
  if (disk.throttleFilters !== undefined || disk.driver?.copyOnRead === true)
    return "it has throttle filters or copy-on-read";
  return unsuitedSource(disk);
}

/** Checks its own image, or a backing image from the XML. */
function unsuitedSource(placed: Disk | BackingStore | undefined): string | undefined {
  if (placed === undefined || (placed.type !== "file" && placed.type !== "block")) return undefined;
  const { backingStore, source } = placed;
  if (source !== undefined && source.seclabels.length > 0) return "a <source> of it has its own <seclabel>";
  if (source?.slices !== undefined) return "a <source> of it has a <slice>";
  if (source?.dataStore !== undefined) return "a <source> of it has a <dataStore>";
  return unsuitedSource(backingStore);
}
