import { type Disk, diskBus, isReadOnly } from "../domain/disk.ts";
import type { Guest } from "./guest.ts";
import { isDirect } from "./launch.ts";
import { cannotTranslate, devicePath, notSettled } from "./refusal.ts";
import { refuseUnsharedMemory } from "./shared-memory.ts";

/** What no QEMU can do, or does otherwise than the XML says. */
interface Rule {
  readonly place: string;
  readonly why: string;
  readonly remedy: string;
  /** It can be stored: it lacks something of the host. */
  readonly isUnsettled?: true;
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
  sd: undefined,
} as const;

const SECRETS: ReadonlyMap<string, string> = new Map([
  ["iscsi", "iscsi"],
  ["rbd", "ceph"],
]);

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
    place: "readonly",
    why: "a device of its own commands is read and written as it wants",
    remedy: "Leave it out, or write device='disk'.",
    isBroken: (disk) => disk.readonly && kindOf(disk) === "lun",
  },
  {
    place: "@device",
    why: "only a block device or an iSCSI unit on bus scsi is passed through with its own commands",
    remedy: "Write device='disk'.",
    isBroken: (disk) => kindOf(disk) === "lun" && !canBeLun(disk),
  },
  {
    place: "@model",
    why: "only a disk on bus virtio has virtio's models",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.model !== undefined && diskBus(disk) !== "virtio",
  },
  {
    place: "driver",
    why: "queues, event_idx, ioeventfd, iommu, ats, packed and page_per_vq are for bus virtio",
    remedy: "Leave them out, or write bus='virtio'.",
    isBroken: (disk) => diskBus(disk) !== "virtio" && hasVirtioOption(disk),
  },
  {
    place: "driver/@copy_on_read",
    why: "what is copied is written, and this disk is not written to",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.driver?.copyOnRead === true && (isReadOnly(disk) || disk.shareable),
  },
  {
    place: "driver/metadata_cache",
    why: "only qcow2 has such a cache",
    remedy: "Leave it out.",
    isBroken: ({ driver }) => driver?.metadataCache?.maxSizeBytes !== undefined && driver.type !== "qcow2",
  },
  {
    place: "driver/@discard_no_unref",
    why: "only a qcow2 image that discards, and has none below it, can do so",
    remedy: "Leave it out.",
    isBroken: ({ driver, backingStore }) =>
      driver?.discardNoUnref !== undefined &&
      (driver.type !== "qcow2" || driver.discard !== "unmap" || (backingStore?.type ?? "end") !== "end"),
  },
  {
    place: "target/@removable",
    why: "only a disk on bus usb or scsi can say so",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.target.removable !== undefined && !["usb", "scsi"].includes(diskBus(disk)),
  },
  {
    place: "target/@rotation_rate",
    why: "only a disk on bus scsi, ide or sata has one",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.target.rotationRate !== undefined && !isOnAta(disk) && diskBus(disk) !== "scsi",
  },
  {
    place: "wwn",
    why: "only a disk on bus ide or scsi has one",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.wwn !== undefined && !["ide", "scsi"].includes(diskBus(disk)),
  },
  {
    place: "vendor",
    why: "only a disk on bus scsi has one",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.vendor !== undefined && diskBus(disk) !== "scsi",
  },
  {
    place: "product",
    why: "it is for bus scsi, at most 16 characters, and for ide and sata, at most 40",
    remedy: "Shorten it, or leave it out.",
    isBroken: (disk) => disk.product !== undefined && disk.product.length > longestProduct(disk),
  },
  {
    place: "blockio",
    why: "a floppy drive has its own sizes",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.blockio !== undefined && ["fdc", "sd"].includes(diskBus(disk)),
  },
  {
    place: "geometry",
    why: "only a hard disk has one",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.geometry !== undefined && (kindOf(disk) !== "disk" || diskBus(disk) === "usb"),
  },
  {
    place: "encryption",
    why: "svirt keeps no secrets that it could give to QEMU",
    isUnsettled: true,
    remedy: "Use an image that is not encrypted.",
    isBroken: ({ encryption }) => encryption !== undefined,
  },
  {
    place: "source/encryption",
    isUnsettled: true,
    why: "svirt keeps no secrets that it could give to QEMU",
    remedy: "Use an image that is not encrypted.",
    isBroken: ({ source }) => source !== undefined && "encryption" in source,
  },
  {
    place: "auth/secret/@type",
    why: "it is a secret of another kind than the protocol takes",
    remedy: "Write type='iscsi' for iSCSI, type='ceph' for RBD.",
    isBroken: hasOtherSecret,
  },
  {
    place: "auth",
    why: "svirt keeps no secrets that it could give to QEMU",
    isUnsettled: true,
    remedy: "Use a source that needs none.",
    isBroken: (disk) => "auth" in disk,
  },
  {
    place: "target/@bus",
    why: "what another program serves is a virtio disk",
    remedy: "Write bus='virtio'.",
    isBroken: (disk) => diskBus(disk) !== "virtio" && ["vhostuser", "vhostvdpa"].includes(disk.type),
  },
  {
    place: "driver",
    why: "QEMU does not read the disk of a vhost-user program, and can set nothing about it",
    remedy: "Leave out all but queues, queue_size and virtio's options.",
    isBroken: (disk) => disk.type === "vhostuser" && hasImageOption(disk),
  },
  {
    place: "throttlefilters",
    why: "there is no such <throttlegroup>, or the disk is none of QEMU's nodes",
    remedy: "Add the group to <throttlegroups>.",
    isBroken: (disk, { domain }) =>
      (disk.throttleFilters?.filters ?? []).some(({ group }) => {
        const isKnown = domain.throttleGroups?.groups.some(({ groupName }) => groupName === group) ?? false;
        return !isKnown || disk.type === "vhostuser" || diskBus(disk) === "sd";
      }),
  },
  {
    place: "transient",
    why: "what the guest writes would have nowhere to go",
    remedy: "Leave it out, or <readonly/>.",
    isBroken: (disk) => disk.transient !== undefined && (isReadOnly(disk) || kindOf(disk) === "lun"),
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

function canBeLun(disk: Disk): boolean {
  const isIscsi = disk.type === "network" && disk.source.protocol === "iscsi";
  return diskBus(disk) === "scsi" && (disk.type === "block" || isIscsi);
}

function hasVirtioOption({ driver = {} }: Disk): boolean {
  const { ats, eventIdx, ioeventfd, iommu, packed, pagePerVq, queueSize, queues } = driver;
  return [ats, eventIdx, ioeventfd, iommu, packed, pagePerVq, queueSize, queues].some(
    (found) => found !== undefined,
  );
}

function longestProduct(disk: Disk): number {
  if (diskBus(disk) === "scsi") return 16;
  return isOnAta(disk) ? 40 : 0;
}

// qemuValidateDomainDeviceDefDiskTransient… and virDomainDiskDefValidate() of libvirt
function hasImageOption({ driver = {}, ...disk }: Disk): boolean {
  const { cache, io, discard, detectZeroes, errorPolicy, rerrorPolicy, copyOnRead } = driver;
  const options = [cache, io, discard, detectZeroes, errorPolicy, rerrorPolicy, copyOnRead];
  const others = [disk.serial, disk.wwn, disk.geometry, disk.blockio, disk.iotune, disk.transient];
  return (
    [...options, ...others].some((found) => found !== undefined) || isReadOnly(disk as Disk) || disk.shareable
  );
}

// virDomainDiskDefParseXML() of libvirt: "invalid secret type"
function hasOtherSecret(disk: Disk): boolean {
  if (disk.type !== "network") return false;
  const { source } = disk;
  const expected = SECRETS.get(source.protocol);
  const auth = disk.auth ?? ("auth" in source ? source.auth : undefined);
  return auth !== undefined && expected !== undefined && auth.secret.type !== expected;
}

/** Throws "unsupported" for a disk that QEMU could not give to the guest as the XML says. */
export function refuseDisk(disk: Disk, guest: Guest, index: number): void {
  if (disk.type === "vhostuser") refuseUnsharedMemory(guest, `${devicePath("disk", index)}/@type`);
  const broken = RULES.filter((candidate) => candidate.isBroken(disk, guest));
  const rule = broken.find(({ isUnsettled }) => isUnsettled !== true) ?? broken[0];
  if (rule === undefined) return;
  const refusal = rule.isUnsettled === true ? notSettled : cannotTranslate;
  throw refusal(`${devicePath("disk", index)}/${rule.place}`, rule.why, rule.remedy);
}
