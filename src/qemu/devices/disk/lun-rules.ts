import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { Rule } from "../../argument/rule.ts";
import { kindOf } from "./drive-rules.ts";

// Rule: A disk that takes the guest's SCSI commands has rules of its own.

const isLun = (disk: Disk): boolean => kindOf(disk) === "lun";
const LEAVE_OUT = "Leave it out.";
const AS_DISK = "Leave it out, or write device='disk'.";
const AS_LUN = "Leave it out, or write device='lun'.";

/**
 * Rules for device='lun'. The guest's SCSI commands reach the device, so QEMU neither reads data nor sets
 * properties. virDomainDiskDefValidate() and qemuValidateDomainDeviceDefDiskFrontend() of libvirt
 */
export const LUN_RULES: readonly Rule<Disk>[] = [
  {
    place: "@device",
    why: "only a block device or an iSCSI unit on the bus scsi can be a lun",
    remedy: "Write device='disk'.",
    isBroken: (disk) => isLun(disk) && !canBeLun(disk),
  },
  {
    place: "driver/@type",
    why: "the format of a lun must be raw",
    remedy: "Write type='raw'.",
    isBroken: (disk) => isLun(disk) && (disk.driver?.type ?? "raw") !== "raw",
  },
  {
    place: "driver/@copy_on_read",
    why: "QEMU does not see the data that the guest reads by SCSI commands",
    remedy: AS_DISK,
    isBroken: (disk) => isLun(disk) && disk.driver?.copyOnRead === true,
  },
  {
    place: "readonly",
    why: "QEMU cannot make a lun read-only",
    remedy: AS_DISK,
    isBroken: (disk) => disk.readonly && isLun(disk),
  },
  ...(["wwn", "vendor", "product", "serial", "blockio"] as const).map((place) => ({
    place,
    why: "the guest reads the values of the device itself",
    remedy: AS_DISK,
    isBroken: (disk: Disk) => isLun(disk) && disk[place] !== undefined,
  })),
  ...(["slices", "encryption"] as const).map((place) => ({
    place: `source/${place}`,
    why: "a lun is passed through as a whole",
    remedy: LEAVE_OUT,
    isBroken: (disk: Disk) => isLun(disk) && hasInSource(disk, place),
  })),
  {
    place: "source/reservations",
    why: "only a lun can have persistent reservations",
    remedy: AS_LUN,
    isBroken: (disk) => !isLun(disk) && hasInSource(disk, "reservations"),
  },
  ...(["rawio", "sgio"] as const).map((name) => ({
    place: `@${name}`,
    why: "only a lun accepts SCSI commands",
    remedy: AS_LUN,
    isBroken: (disk: Disk) => !isLun(disk) && disk[name] !== undefined,
  })),
];

function canBeLun(disk: Disk): boolean {
  const isIscsi = disk.type === "network" && disk.source.protocol === "iscsi";
  const isDevice = disk.type === "block" || disk.type === "volume";
  return diskBus(disk) === "scsi" && (isDevice || isIscsi);
}

function hasInSource({ source }: Disk, name: string): boolean {
  return source !== undefined && name in source;
}
