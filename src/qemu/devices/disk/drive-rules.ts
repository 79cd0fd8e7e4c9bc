import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { Rule } from "../../argument/rule.ts";
import type { Guest } from "../../model/guest.ts";
import { type DrivePlace, drivePlace, isNoScsiPlace } from "./place.ts";

/** Device type visible to the guest: disk, cdrom, floppy or lun. */
export const kindOf = ({ device }: Disk): string => device ?? "disk";

const isOnAta = (disk: Disk): boolean => diskBus(disk) === "ide" || diskBus(disk) === "sata";
const isRemovable = (disk: Disk): boolean => kindOf(disk) === "cdrom" || kindOf(disk) === "floppy";
const LEAVE_OUT = "Leave it out.";

/** Address type of a disk by bus. */
const ADDRESSES = {
  virtio: "pci",
  ide: "drive",
  sata: "drive",
  scsi: "drive",
  fdc: "drive",
  usb: "usb",
  sd: undefined,
} as const;

/**
 * Highest number in each part of a drive's address. QEMU decides about a part without an entry.
 * qemuValidateDomainDeviceDefAddressDrive()
 */
const HIGHEST: Readonly<Partial<Record<ReturnType<typeof diskBus>, Partial<DrivePlace>>>> = {
  ide: { controller: 0, target: 0 },
  fdc: { controller: 0, bus: 0, target: 0 },
  sata: { bus: 0, target: 0 },
};

/** Rules for settings of a device type or bus. qemuValidateDomainDeviceDefDiskFrontend() of libvirt */
export const DRIVE_RULES: readonly Rule<Disk>[] = [
  {
    place: "@device",
    why: "the bus fdc is for floppy drives, and only for these",
    remedy: "Write both device='floppy' and bus='fdc', or neither.",
    isBroken: (disk) => (kindOf(disk) === "floppy") !== (diskBus(disk) === "fdc"),
  },
  {
    place: "target/@dev",
    why: "names that begin with fd are for floppy drives, and only for these",
    remedy: "Write fda for a floppy drive, vda, sda or hda for a disk.",
    isBroken: (disk) => (kindOf(disk) === "floppy") !== disk.target.dev.startsWith("fd"),
  },
  {
    place: "target/@bus",
    why: "a CD-ROM drive cannot be on the bus virtio or sd",
    remedy: "Write bus='sata' or bus='scsi'.",
    isBroken: (disk) => kindOf(disk) === "cdrom" && ["virtio", "sd"].includes(diskBus(disk)),
  },
  {
    place: "source",
    why: "a USB drive must have a medium",
    remedy: "Write its <source>, or bus='sata'.",
    isBroken: (disk) => disk.source === undefined && diskBus(disk) === "usb",
  },
  {
    place: "target/@bus",
    why: "a q35 machine has no IDE bus",
    remedy: "Write bus='sata' or bus='virtio'.",
    isBroken: (disk, { machine }) => diskBus(disk) === "ide" && machine.chipset === "q35",
  },
  {
    place: "address/@type",
    why: "the disk's bus has addresses of another type",
    remedy: "Leave the address out.",
    isBroken: (disk) => disk.address !== undefined && disk.address.type !== ADDRESSES[diskBus(disk)],
  },
  {
    place: "address",
    why: "the address is out of the bus's range",
    remedy: "Leave the address out.",
    isBroken: isOutside,
  },
  {
    place: "readonly",
    why: "a disk on IDE or SATA cannot be read-only",
    remedy: "Write bus='virtio' or bus='scsi'.",
    isBroken: (disk) => disk.readonly && kindOf(disk) === "disk" && isOnAta(disk),
  },
  {
    place: "target/@tray",
    why: "only a CD-ROM or floppy drive has a tray",
    remedy: LEAVE_OUT,
    isBroken: (disk) => disk.target.tray !== undefined && !isRemovable(disk),
  },
  {
    place: "source/@startupPolicy",
    why: "only a CD-ROM or floppy drive can be empty",
    remedy: "Write mandatory or optional.",
    isBroken: (disk) =>
      disk.source !== undefined &&
      "startupPolicy" in disk.source &&
      disk.source.startupPolicy === "requisite" &&
      !isRemovable(disk),
  },
  {
    place: "target/@removable",
    why: "only a USB device or a disk on the bus scsi can be removable",
    remedy: LEAVE_OUT,
    isBroken: (disk) =>
      disk.target.removable !== undefined &&
      diskBus(disk) !== "usb" &&
      (diskBus(disk) !== "scsi" || kindOf(disk) !== "disk"),
  },
  {
    place: "target/@rotation_rate",
    why: "only a disk on the bus scsi, ide or sata has a rotation rate",
    remedy: LEAVE_OUT,
    isBroken: (disk) =>
      disk.target.rotationRate !== undefined &&
      (kindOf(disk) !== "disk" || (!isOnAta(disk) && diskBus(disk) !== "scsi")),
  },
  {
    place: "wwn",
    why: "only a disk on the bus ide or scsi has a WWN",
    remedy: LEAVE_OUT,
    isBroken: (disk) => disk.wwn !== undefined && !["ide", "scsi"].includes(diskBus(disk)),
  },
  {
    place: "vendor",
    why: "only a disk on the bus scsi has a vendor",
    remedy: LEAVE_OUT,
    isBroken: (disk) => disk.vendor !== undefined && diskBus(disk) !== "scsi",
  },
  {
    place: "product",
    why: "it must have at most 16 characters on the bus scsi, and at most 40 on ide and sata",
    remedy: "Shorten the text, or leave it out.",
    isBroken: (disk) => disk.product !== undefined && disk.product.length > longestProduct(disk),
  },
  {
    place: "serial",
    why: "it may contain only letters, digits, blanks and - _ . +, and an SD card has none",
    remedy: LEAVE_OUT,
    isBroken: (disk) =>
      disk.serial !== undefined && (diskBus(disk) === "sd" || !/^[A-Za-z0-9\-_ .+]*$/.test(disk.serial)),
  },
  {
    place: "blockio",
    why: "a floppy drive or an SD card has fixed block sizes",
    remedy: LEAVE_OUT,
    isBroken: (disk) => disk.blockio !== undefined && ["fdc", "sd"].includes(diskBus(disk)),
  },
  {
    place: "geometry",
    why: "only a hard disk has a geometry",
    remedy: LEAVE_OUT,
    isBroken: (disk) =>
      disk.geometry !== undefined && (kindOf(disk) !== "disk" || ["usb", "sd"].includes(diskBus(disk))),
  },
  {
    place: "geometry/@trans",
    why: "only a disk on the bus ide has a translation mode",
    remedy: LEAVE_OUT,
    isBroken: (disk) => disk.geometry?.translation !== undefined && diskBus(disk) !== "ide",
  },
];

function isOutside(disk: Disk, { devices }: Guest): boolean {
  if (disk.address?.type !== "drive") return false;
  const place = drivePlace(disk);
  const highest = HIGHEST[diskBus(disk)] ?? {};
  if ((Object.keys(highest) as (keyof DrivePlace)[]).some((key) => place[key] > (highest[key] ?? 0)))
    return true;
  return diskBus(disk) === "scsi" && isNoScsiPlace(disk, devices);
}

function longestProduct(disk: Disk): number {
  if (diskBus(disk) === "scsi") return 16;
  return isOnAta(disk) ? 40 : 0;
}
