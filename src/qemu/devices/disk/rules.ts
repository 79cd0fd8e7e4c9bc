import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus, isReadOnly } from "../../../domain/devices/disk/facts.ts";
import { loginOf } from "../../../domain/devices/disk/secrets.ts";
import { type Rule, refuseBroken } from "../../argument/rule.ts";
import { isDirect } from "../../launch.ts";
import { refuseUnsharedMemory } from "../../machine/refuse-unshared-memory.ts";
import type { Guest } from "../../model/guest.ts";
import { devicePath } from "../../refusal.ts";
import { DRIVE_RULES, kindOf } from "./drive-rules.ts";
import { ENCRYPTION_RULES } from "./encryption-rules.ts";
import { IOTUNE_RULES } from "./iotune-rules.ts";
import { LUN_RULES } from "./lun-rules.ts";

const SECRETS: ReadonlyMap<string, string> = new Map([
  ["iscsi", "iscsi"],
  ["rbd", "ceph"],
]);

/** Protocols with authentication. virDomainDiskDefValidateSourceChainOne() of libvirt */
const ASKING: ReadonlySet<string> = new Set(["iscsi", "http", "https", "ftp", "ftps", "ssh", "rbd"]);

/** Rules for all disks. qemuValidateDomainDeviceDefDisk() of libvirt and its callees */
const RULES: readonly Rule<Disk>[] = [
  {
    place: "driver/@type",
    why: "the format fat is for a folder, and a folder must have it",
    remedy: "Write type='fat' for a folder, and another format for an image.",
    isBroken: ({ type, driver }) => (type === "dir") !== (driver?.type === "fat"),
  },
  {
    place: "readonly",
    why: "a disk of type dir must be read-only",
    remedy: "Write <readonly/>.",
    isBroken: (disk) => disk.type === "dir" && !isReadOnly(disk),
  },
  {
    place: "@model",
    why: "only a disk on the bus virtio has virtio models",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.model !== undefined && diskBus(disk) !== "virtio",
  },
  {
    place: "driver",
    why: "queues, event_idx, ioeventfd, iommu, ats, packed and page_per_vq are for the bus virtio",
    remedy: "Leave them out, or write bus='virtio'.",
    isBroken: (disk) => diskBus(disk) !== "virtio" && hasVirtioOption(disk),
  },
  {
    place: "driver/@copy_on_read",
    why: "copy-on-read writes to the image, and this disk is read-only or shareable",
    remedy: "Leave it out.",
    isBroken: (disk) => disk.driver?.copyOnRead === true && (isReadOnly(disk) || disk.shareable),
  },
  {
    place: "driver/metadata_cache",
    why: "only a qcow2 image has a metadata cache",
    remedy: "Leave it out.",
    isBroken: ({ driver }) => driver?.metadataCache?.maxSizeBytes !== undefined && driver.type !== "qcow2",
  },
  {
    place: "driver/@discard_no_unref",
    why: "it requires a writable qcow2 image",
    remedy: "Leave it out.",
    isBroken: (disk) =>
      disk.driver?.discardNoUnref === true && (disk.driver.type !== "qcow2" || isReadOnly(disk)),
  },
  {
    place: "auth",
    why: "that protocol has no authentication",
    remedy: "Leave it out.",
    isBroken: (disk) =>
      disk.type === "network" && loginOf(disk) !== undefined && !ASKING.has(disk.source.protocol),
  },
  {
    place: "driver/@cache",
    why: "a vDPA disk must not be cached",
    remedy: "Write cache='none'.",
    isBroken: ({ type, driver }) => type === "vhostvdpa" && !isDirect(driver?.cache),
  },
  {
    place: "auth/secret/@type",
    why: "the protocol requires another type of secret",
    remedy: "Write type='iscsi' for iSCSI, type='ceph' for RBD.",
    isBroken: hasOtherSecret,
  },
  {
    place: "target/@bus",
    why: "a vhost-user or vDPA disk must be on the bus virtio",
    remedy: "Write bus='virtio'.",
    isBroken: (disk) => diskBus(disk) !== "virtio" && ["vhostuser", "vhostvdpa"].includes(disk.type),
  },
  {
    place: "driver",
    why: "QEMU does not access the image of a vhost-user disk, so it cannot apply image options",
    remedy: "Leave out all options except queues, queue_size and those of virtio.",
    isBroken: (disk) => disk.type === "vhostuser" && hasImageOption(disk),
  },
  {
    place: "@snapshot",
    why: "a vhost-user disk cannot have snapshots",
    remedy: "Write snapshot='no', or leave it out.",
    isBroken: ({ type, snapshot }) => type === "vhostuser" && (snapshot ?? "no") !== "no",
  },
  {
    place: "throttlefilters",
    why: "the <throttlegroup> is missing, or QEMU does not access the disk's image",
    remedy: "Add the group to <throttlegroups>.",
    isBroken: (disk, { domain }) =>
      (disk.throttleFilters?.filters ?? []).some(({ group }) => {
        const isKnown = domain.throttleGroups?.groups.some(({ groupName }) => groupName === group) ?? false;
        return !isKnown || disk.type === "vhostuser" || diskBus(disk) === "sd";
      }),
  },
  {
    place: "transient",
    why: "the overlay is created in the image's folder, and this disk has no image file",
    remedy: "Leave it out, or use a disk whose image is a file.",
    isBroken: (disk) => disk.transient !== undefined && !canBeTransient(disk),
  },
  {
    place: "transient/@shareBacking",
    why: "only a disk on the bus virtio, scsi or usb can be hot-plugged with a shared backing image",
    remedy: "Leave it out.",
    isBroken: (disk) =>
      disk.transient?.shareBacking === true && !["virtio", "scsi", "usb"].includes(diskBus(disk)),
  },
  {
    place: "shareable",
    why: "only a raw image can have several writers",
    remedy: "Use a raw image, or write <readonly/>.",
    isBroken: (disk) =>
      disk.shareable &&
      !isReadOnly(disk) &&
      disk.type !== "vhostuser" &&
      (disk.driver?.type ?? "raw") !== "raw",
  },
  {
    place: "driver/@io",
    why: "io='native' requires cache='none' or 'directsync'",
    remedy: "Write cache='none' or 'directsync', or io='threads'.",
    isBroken: ({ driver }) => driver?.io === "native" && !isDirect(driver.cache),
  },
];

function hasVirtioOption({ driver = {} }: Disk): boolean {
  const { ats, eventIdx, ioeventfd, iommu, packed, pagePerVq, queueSize, queues } = driver;
  return [ats, eventIdx, ioeventfd, iommu, packed, pagePerVq, queueSize, queues].some(
    (found) => found !== undefined,
  );
}

function canBeTransient(disk: Disk): boolean {
  return disk.type === "file" && disk.source !== undefined && kindOf(disk) === "disk" && !isReadOnly(disk);
}

// virDomainDiskVhostUserValidate() of libvirt
function hasImageOption({ driver = {}, ...disk }: Disk): boolean {
  const { cache, io, discard, detectZeroes, errorPolicy, rerrorPolicy, copyOnRead, ioeventfd } = driver;
  const options = [cache, io, discard, detectZeroes, errorPolicy, rerrorPolicy, copyOnRead, ioeventfd];
  const { serial, wwn, geometry, blockio, iotune, transient, backingStore } = disk;
  const others = [serial, wwn, geometry, blockio, iotune, transient, backingStore, driver.metadataCache];
  return (
    [...options, ...others].some((found) => found !== undefined) || isReadOnly(disk as Disk) || disk.shareable
  );
}

// virDomainDiskDefParseXML() of libvirt: "invalid secret type"
function hasOtherSecret(disk: Disk): boolean {
  if (disk.type !== "network") return false;
  const { source } = disk;
  const expected = SECRETS.get(source.protocol);
  const auth = loginOf(disk);
  return auth !== undefined && expected !== undefined && auth.secret.type !== expected;
}

const ALL_RULES = [...DRIVE_RULES, ...LUN_RULES, ...IOTUNE_RULES, ...ENCRYPTION_RULES, ...RULES];

/** Refuses a disk that QEMU cannot provide as the XML describes it. Throws "unsupported". */
export function refuseDisk(disk: Disk, guest: Guest, index: number): void {
  const path = devicePath("disk", index);
  if (disk.type === "vhostuser" || disk.type === "vhostvdpa") refuseUnsharedMemory(guest, `${path}/@type`);
  refuseBroken(ALL_RULES, { device: disk, guest, path });
}
