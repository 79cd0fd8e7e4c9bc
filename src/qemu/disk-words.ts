import { type Disk, diskBus } from "../domain/disk.ts";
import type { BootIndexes } from "./boot-index.ts";
import { controllerId, pciKeys, usbKeys } from "./device-bus.ts";
import { chainOf, type FoundChains } from "./disk-chain.ts";
import { formatNodes, type NumberedDisk } from "./disk-nodes.ts";
import { diskIndex, drivePlace, isOnVirtioScsi } from "./disk-place.ts";
import { refuseDisk } from "./disk-rules.ts";
import { controllersOf, type Guest } from "./guest.ts";
import type { Launch } from "./launch.ts";
import { devicePath, refuseUnproven } from "./refusal.ts";
import { jsonWords, type Words } from "./words.ts";

/** What the words of a disk depend on besides the guest. */
export interface DiskFacts {
  readonly chains: FoundChains | undefined;
  readonly boot: BootIndexes;
  readonly launch: Launch | undefined;
}

/**
 * -blockdev and -device for each disk. Images are numbered from the last disk to the first.
 * qemuBuildDisksCommandLine() of libvirt
 */
export function formatDisks(guest: Guest, facts: DiskFacts): Words {
  const { disks } = guest.devices;
  for (const [index, disk] of disks.entries()) {
    refuseDisk(disk, guest, index);
    if (diskBus(disk) !== "scsi" || disk.serial === undefined) continue;
    refuseUnproven(facts.launch, `${devicePath("disk", index)}/serial`, "a SCSI disk's serial number");
  }
  return [
    ...formatFloppyDrive(guest, facts.boot),
    ...numberDisks(disks, facts.chains).flatMap((numbered) => formatDisk(guest, numbered, facts)),
  ];
}

/** The id of a disk: its own alias, or libvirt's name for it. qemuAssignDeviceDiskAlias() */
function diskId(guest: Guest, disk: Disk): string {
  if (disk.alias !== undefined) return disk.alias;
  const bus = diskBus(disk);
  const { controller, bus: channel, target, unit } = drivePlace(disk);
  if (bus === "virtio" || bus === "usb") return `${bus}-disk${diskIndex(disk)}`;
  const numbers = isOnVirtioScsi(disk, guest.devices)
    ? [controller, channel, target, unit]
    : [controller, channel, unit];
  return `${bus}${numbers.join("-")}`;
}

function numberDisks(disks: readonly Disk[], chains: FoundChains | undefined): readonly NumberedDisk[] {
  let firstNumber = 1;
  const numbered = disks.toReversed().map((disk) => {
    const chain = chainOf(disk, chains);
    const found = { disk, chain, firstNumber };
    // An empty drive has a number too: it is used when a medium is put in.
    firstNumber += Math.max(1, chain.elements.length);
    return found;
  });
  return numbered.toReversed();
}

function formatDisk(guest: Guest, numbered: NumberedDisk, { boot, launch }: DiskFacts): Words {
  const { disk } = numbered;
  const { words, top } = formatNodes(numbered, launch);
  const { front, driver } = placeKeys(guest, disk);
  const device = {
    driver,
    ...front,
    "share-rw": disk.shareable ? true : undefined,
    drive: top === "" ? undefined : top,
    id: diskId(guest, disk),
    bootindex: diskBus(disk) === "fdc" ? undefined : boot.get(disk),
    removable: diskBus(disk) === "usb" ? false : undefined,
    "write-cache": writeCache(disk),
    ...errorKeys(disk),
    // With a backslash before each blank: so the reference gives it to QEMU, and so guests know their disks.
    serial: disk.serial?.replaceAll(" ", "\\ "),
  };
  return [...words, ...jsonWords("-device", device)];
}

/** The driver, and where the device is. qemuBuildDiskDeviceProps() of libvirt */
function placeKeys(guest: Guest, disk: Disk): { readonly driver: string; readonly front: object } {
  const { controller, bus: channel, target, unit } = drivePlace(disk);
  const kind = disk.device === "cdrom" ? "cd" : "hd";
  const idOf = (type: "sata" | "scsi"): string => {
    const found = controllersOf(guest.devices, type).find(({ index }) => index === controller);
    return found === undefined ? `${type}${controller}` : controllerId(guest, found);
  };
  switch (diskBus(disk)) {
    case "virtio":
      return {
        driver: "virtio-blk-pci",
        front: disk.address?.type === "pci" ? pciKeys(guest, disk.address) : {},
      };
    case "ide":
      return { driver: `ide-${kind}`, front: { bus: `ide.${channel}`, unit } };
    case "sata":
      return { driver: `ide-${kind}`, front: { bus: `${idOf("sata")}.${unit}` } };
    case "scsi": {
      const device_id = disk.serial === undefined ? `drive-${diskId(guest, disk)}` : disk.serial;
      const place = isOnVirtioScsi(disk, guest.devices)
        ? { channel, "scsi-id": target, lun: unit }
        : { "scsi-id": unit };
      return { driver: `scsi-${kind}`, front: { bus: `${idOf("scsi")}.0`, ...place, device_id } };
    }
    case "usb":
      return {
        driver: "usb-storage",
        front: disk.address?.type === "usb" ? usbKeys(guest, disk.address) : {},
      };
    case "fdc":
      return { driver: "floppy", front: { unit } };
  }
}

/** The board of a pc has a floppy controller; q35 gets one where there is a drive. */
function formatFloppyDrive(guest: Guest, boot: BootIndexes): Words {
  const floppies = guest.devices.disks.filter((disk) => diskBus(disk) === "fdc");
  const indexes = floppies.flatMap((disk) => {
    const index = boot.get(disk);
    const letter = drivePlace(disk).unit === 0 ? "A" : "B";
    return index === undefined ? [] : [[`bootindex${letter}`, index] as const];
  });
  if (guest.machine.chipset === "q35") {
    const hasController = floppies.length > 0;
    return hasController ? jsonWords("-device", { driver: "isa-fdc", ...Object.fromEntries(indexes) }) : [];
  }
  return indexes.flatMap(([key, index]) => ["-global", `isa-fdc.${key}=${index}`]);
}

function writeCache({ driver }: Disk): string | undefined {
  const cache = driver?.cache ?? "default";
  if (cache === "default") return undefined;
  return cache === "writethrough" || cache === "directsync" ? "off" : "on";
}

/** What QEMU does with an error of the host: on writing, and on reading. qemuBuildDiskFrontendAttributeErrorPolicy() */
function errorKeys({ driver }: Disk): { readonly werror?: string; readonly rerror?: string } {
  const write = driver?.errorPolicy;
  const read = driver?.rerrorPolicy ?? (write === "enospace" ? undefined : write);
  return {
    ...(write === undefined ? {} : { werror: write === "enospace" ? "enospc" : write }),
    ...(read === undefined ? {} : { rerror: read }),
  };
}
