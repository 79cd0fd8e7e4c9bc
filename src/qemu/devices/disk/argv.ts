import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus } from "../../../domain/devices/disk/facts.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";
import type { BootIndexes } from "../../argument/boot-index.ts";
import { controllerId, pciKeys, usbKeys } from "../../argument/bus-properties.ts";
import { virtioDriver, virtioKeys } from "../../argument/virtio-properties.ts";
import type { Launch } from "../../launch.ts";
import { iothreadKey, iothreadMappingKey } from "../../machine/iothreads.ts";
import { controllersOf, type Guest } from "../../model/guest.ts";
import { devicePath } from "../../refusal.ts";
import { countFdsets } from "../chardev/fdset-count.ts";
import { chainOf, type FoundChains } from "./chain.ts";
import { formatNodes, listDiskSecrets, type NumberedDisk } from "./nodes.ts";
import { diskIndex, drivePlace, scsiModelOf, scsiPlaceKeys } from "./place.ts";
import { refuseDisk } from "./rules.ts";
import { formatSdCard } from "./sd-card.ts";
import type { SecretPassing, SecretUse } from "./secrets.ts";
import { formatVhostUserDisk } from "./vhost-user.ts";

/** Context of a disk's arguments, in addition to the guest. */
export interface DiskFacts {
  readonly chains: FoundChains | undefined;
  readonly boot: BootIndexes;
  readonly launch: Launch | undefined;
  /** As in ArgvFacts. */
  readonly sealed?: SecretPassing["sealed"];
}

/**
 * -blockdev and -device for each disk. Images are numbered from the last disk to the first.
 * qemuBuildDisksCommandLine() of libvirt
 */
export function formatDisks(guest: Guest, facts: DiskFacts): Arguments {
  const { disks } = guest.devices;
  for (const [index, disk] of disks.entries()) refuseDisk(disk, guest, index);
  return [
    ...formatFloppyDrive(guest, facts.boot),
    ...numberDisks(guest, facts.chains)
      .filter(({ disk }) => disk.transient?.shareBacking !== true)
      .flatMap((numbered) => formatDisk(guest, { ...numbered, sealed: facts.sealed }, facts)),
  ];
}

/** Lists the secrets of a guest's disks for QEMU. */
export function listSecrets(guest: Guest, chains: FoundChains | undefined): readonly SecretUse[] {
  return numberDisks(guest, chains).flatMap(listDiskSecrets);
}

/** Returns the device id of each disk, keyed by its target. */
export function listDiskIds(guest: Guest): ReadonlyMap<string, string> {
  return new Map(guest.devices.disks.map((disk) => [disk.target.dev, diskId(guest, disk)]));
}

/** Formats a hot-plugged disk. Its images have their own numbers. Throws "unsupported". */
export function formatNewDisk(guest: Guest, numbered: NumberedDisk, facts: DiskFacts): Arguments {
  refuseDisk(numbered.disk, guest, guest.devices.disks.indexOf(numbered.disk));
  return formatDisk(guest, numbered, facts);
}

/** Returns the id of a disk: its alias or libvirt's name. qemuAssignDeviceDiskAlias() */
export function diskId(guest: Guest, disk: Disk): string {
  if (disk.alias !== undefined) return disk.alias;
  const bus = diskBus(disk);
  const { controller, bus: channel, target, unit } = drivePlace(disk);
  if (bus === "virtio" || bus === "usb") return `${bus}-disk${diskIndex(disk)}`;
  const hasTarget = bus === "scsi" && scsiModelOf(disk, guest.devices) !== "lsilogic";
  const numbers = hasTarget ? [controller, channel, target, unit] : [controller, channel, unit];
  return `${bus}${numbers.join("-")}`;
}

/** Returns the first node number unused by disks. */
export function nextNodeNumber(guest: Guest, chains: FoundChains | undefined): number {
  return Math.max(0, ...numberDisks(guest, chains).map(({ nextNumber }) => nextNumber - 1)) + 1;
}

function numberDisks(guest: Guest, chains: FoundChains | undefined): readonly NumberedDisk[] {
  const { disks } = guest.devices;
  let firstNumber = 1;
  let firstFdset = countFdsets(guest, "disks");
  const numbered = disks.toReversed().map((disk, before) => {
    const chain = chainOf(disk, chains);
    const path = devicePath("disk", disks.length - 1 - before);
    const filters = disk.throttleFilters?.filters.length ?? 0;
    // An empty drive has a number as well, for a later medium.
    const own = diskBus(disk) === "sd" ? 0 : Math.max(1, chain.elements.length) + filters;
    const folder = `/var/lib/libvirt/qemu/domain--1-${guest.domain.name}`;
    const found = { disk, chain, path, folder, firstNumber, nextNumber: firstNumber + own, firstFdset };
    firstNumber += own;
    if (disk.type === "vhostvdpa") firstFdset += 1;
    return found;
  });
  return numbered.toReversed();
}

function formatDisk(guest: Guest, numbered: NumberedDisk, { boot, launch }: DiskFacts): Arguments {
  const { disk } = numbered;
  if (diskBus(disk) === "sd") return formatSdCard(numbered);
  const { words, top } = formatNodes(numbered, launch);
  const { front, driver, deviceId } = placeKeys(guest, disk);
  const id = diskId(guest, disk);
  const device = {
    driver,
    ...(diskBus(disk) === "virtio" ? virtioDiskKeys(disk) : {}),
    ...front,
    device_id: deviceId,
    "share-rw": disk.shareable ? true : undefined,
    drive: top === "" ? undefined : top,
    chardev: disk.type === "vhostuser" ? `chr-vu-${id}` : undefined,
    id,
    bootindex: diskBus(disk) === "fdc" ? undefined : boot.get(disk),
    ...lookKeys(disk),
    "write-cache": writeCache(disk),
    cyls: disk.geometry?.cylinders,
    heads: disk.geometry?.heads,
    secs: disk.geometry?.sectors,
    "bios-chs-trans": disk.geometry?.translation,
    // libvirt escapes each blank with a backslash. Guests identify disks by this serial.
    serial: disk.serial?.replaceAll(" ", "\\ "),
    ...errorKeys(disk),
  };
  return [
    ...formatVhostUserDisk(disk, { id, place: numbered.path, launch }),
    ...words,
    ...jsonArguments("-device", device),
  ];
}

function virtioDiskKeys({ driver }: Disk): object {
  return {
    ...virtioKeys(driver),
    ...iothreadKey(driver),
    ioeventfd: driver?.ioeventfd,
    event_idx: driver?.eventIdx,
    "num-queues": driver?.queues,
    "queue-size": driver?.queueSize,
    ...iothreadMappingKey(driver),
  };
}

/** Properties visible to the guest: block sizes, identification, removability. */
function lookKeys(disk: Disk): object {
  const { blockio, wwn, vendor, product, target } = disk;
  const bus = diskBus(disk);
  return {
    logical_block_size: blockio?.logicalBlockSize || undefined,
    physical_block_size: blockio?.physicalBlockSize || undefined,
    discard_granularity: blockio?.discardGranularity || undefined,
    wwn: wwn === undefined ? undefined : BigInt(`0x${wwn.replace(/^0x/, "")}`),
    rotation_rate: target.rotationRate,
    vendor,
    ...(bus === "scsi" ? { product } : { model: product }),
    removable: target.removable ?? (bus === "usb" ? false : undefined),
  };
}

/** Driver and bus properties of the device. qemuBuildDiskDeviceProps() of libvirt */
function placeKeys(
  guest: Guest,
  disk: Disk,
): { readonly driver: string; readonly front: object; readonly deviceId?: string } {
  const { controller, bus: channel, unit } = drivePlace(disk);
  const kind = disk.device === "cdrom" ? "cd" : "hd";
  const idOf = (type: "sata" | "scsi"): string => {
    const found = controllersOf(guest.devices, type).find(({ index }) => index === controller);
    return found === undefined ? `${type}${controller}` : controllerId(guest, found);
  };
  switch (diskBus(disk)) {
    case "virtio":
      return {
        driver: virtioDriver(disk.type === "vhostuser" ? "vhost-user-blk" : "virtio-blk", disk.model),
        front: disk.address?.type === "pci" ? pciKeys(guest, disk.address) : {},
      };
    case "ide":
      return { driver: `ide-${kind}`, front: { bus: `ide.${channel}`, unit } };
    case "sata":
      return { driver: `ide-${kind}`, front: { bus: `${idOf("sata")}.${unit}` } };
    case "scsi":
      return scsiKeys(guest, disk, `${idOf("scsi")}.0`);
    case "usb":
      return {
        driver: "usb-storage",
        front: disk.address?.type === "usb" ? usbKeys(guest, disk.address) : {},
      };
    case "fdc":
    case "sd":
      return { driver: "floppy", front: { unit } };
  }
}

function scsiKeys(guest: Guest, disk: Disk, bus: string): ReturnType<typeof placeKeys> {
  const front = { bus, ...scsiPlaceKeys(disk, guest.devices) };
  if (disk.device === "lun") return { driver: "scsi-block", front };
  const deviceId = disk.serial ?? `drive-${diskId(guest, disk)}`;
  return { driver: disk.device === "cdrom" ? "scsi-cd" : "scsi-hd", front, deviceId };
}

/** Floppy controller: on the board of a pc, added on q35 for a drive. */
function formatFloppyDrive(guest: Guest, boot: BootIndexes): Arguments {
  const floppies = guest.devices.disks.filter((disk) => diskBus(disk) === "fdc");
  const indexes = floppies.flatMap((disk) => {
    const index = boot.get(disk);
    const letter = drivePlace(disk).unit === 0 ? "A" : "B";
    return index === undefined ? [] : [[`bootindex${letter}`, index] as const];
  });
  if (guest.machine.chipset === "q35") {
    const hasController = floppies.length > 0;
    return hasController
      ? jsonArguments("-device", { driver: "isa-fdc", ...Object.fromEntries(indexes) })
      : [];
  }
  return indexes.flatMap(([key, index]) => ["-global", `isa-fdc.${key}=${index}`]);
}

/** Property write-cache. A SCSI passthrough device keeps its own cache. */
function writeCache({ device, driver }: Disk): string | undefined {
  if (device === "lun") return undefined;
  const cache = driver?.cache ?? "default";
  if (cache === "default") return undefined;
  return cache === "writethrough" || cache === "directsync" ? "off" : "on";
}

/** QEMU's reaction to write and read errors of the host. qemuBuildDiskFrontendAttributeErrorPolicy() */
function errorKeys({ driver }: Disk): { readonly werror?: string; readonly rerror?: string } {
  const write = driver?.errorPolicy;
  const read = driver?.rerrorPolicy ?? (write === "enospace" ? undefined : write);
  return {
    ...(write === undefined ? {} : { werror: write === "enospace" ? "enospc" : write }),
    ...(read === undefined ? {} : { rerror: read }),
  };
}
