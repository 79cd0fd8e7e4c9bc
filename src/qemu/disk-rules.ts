import { type Disk, diskBus } from "../domain/disk.ts";
import type { Guest } from "./guest.ts";
import { isDirect } from "./launch.ts";
import { cannotTranslate, devicePath } from "./refusal.ts";

/** What no QEMU can do, or does otherwise than the XML says. */
interface Rule {
  readonly place: string;
  readonly why: string;
  readonly remedy: string;
  isBroken(disk: Disk, guest: Guest): boolean;
}

const kindOf = ({ device }: Disk): string => device ?? "disk";
const isOnAta = (disk: Disk): boolean => diskBus(disk) === "ide" || diskBus(disk) === "sata";
/** What kind of address a disk has on each bus. */
const ADDRESSES = {
  virtio: "pci",
  ide: "drive",
  sata: "drive",
  scsi: "drive",
  fdc: "drive",
  usb: "usb",
} as const;

/** qemuValidateDomainDeviceDefDisk() of libvirt and its callees */
const RULES: readonly Rule[] = [
  {
    place: "@device",
    why: "floppies, and nothing else, are on bus fdc",
    remedy: "Write device='floppy' with bus='fdc', or neither.",
    isBroken: (disk) => (kindOf(disk) === "floppy") !== (diskBus(disk) === "fdc"),
  },
  {
    place: "target/@bus",
    why: "a virtio disk is no CD-ROM",
    remedy: "Write bus='sata' or bus='scsi'.",
    isBroken: (disk) => kindOf(disk) === "cdrom" && diskBus(disk) === "virtio",
  },
  {
    place: "target/@bus",
    why: "a q35 has no IDE",
    remedy: "Write bus='sata' or bus='virtio'.",
    isBroken: (disk, { machine }) => diskBus(disk) === "ide" && machine.chipset === "q35",
  },
  {
    place: "address/@type",
    why: "it is not an address on the disk's bus",
    remedy: "Leave the address out.",
    isBroken: (disk) => disk.address !== undefined && disk.address.type !== ADDRESSES[diskBus(disk)],
  },
  {
    place: "readonly",
    why: "a disk on IDE or SATA cannot be read-only",
    remedy: "Write bus='virtio' or bus='scsi'.",
    isBroken: (disk) => disk.readonly && kindOf(disk) === "disk" && isOnAta(disk),
  },
  {
    place: "serial",
    why: "a backslash would not reach the guest as one",
    remedy: "Leave it out.",
    isBroken: ({ serial }) => serial?.includes("\\") ?? false,
  },
  {
    place: "shareable",
    why: "a qcow2 image has one writer",
    remedy: "Use a raw image.",
    isBroken: ({ shareable, driver }) => shareable && driver?.type === "qcow2",
  },
  {
    place: "driver/@io",
    why: "native needs cache='none' or 'directsync'",
    remedy: "Write one of these.",
    isBroken: ({ driver }) => driver?.io === "native" && !isDirect(driver.cache),
  },
];

/** Throws "unsupported" for a disk that QEMU could not give to the guest as the XML says. */
export function refuseDisk(disk: Disk, guest: Guest, index: number): void {
  const rule = RULES.find((candidate) => candidate.isBroken(disk, guest));
  if (rule !== undefined) {
    throw cannotTranslate(`${devicePath("disk", index)}/${rule.place}`, rule.why, rule.remedy);
  }
}
