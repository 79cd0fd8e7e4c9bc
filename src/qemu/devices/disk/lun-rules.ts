import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { Rule } from "../../argument/rule.ts";
import { kindOf } from "./drive-rules.ts";

const isLun = (disk: Disk): boolean => kindOf(disk) === "lun";
const LEAVE_OUT = "Leave it out.";
const AS_DISK = "Leave it out, or write device='disk'.";
const AS_LUN = "Leave it out, or write device='lun'.";

/**
 * Rules for device='lun'. The guest's SCSI commands reach the device, so QEMU neither reads data nor sets properties.
 * virDomainDiskDefValidate() and qemuValidateDomainDeviceDefDiskFrontend() of libvirt
 */
export const LUN_RULES: readonly Rule<Disk>[] = [
  {
    place: "@device",
    why: "only a block device or an iSCSI unit on bus scsi is passed through with its own commands",
    remedy: "Write device='disk'.",
    isBroken: (disk) => isLun(disk) && !canBeLun(disk),
  },
  {
    place: "driver/@type",
    why: "a device of its own commands has no format",
    remedy: "Write type='raw'.",
    isBroken: (disk) => isLun(disk) && (disk.driver?.type ?? "raw") !== "raw",
  },
  {
    place: "driver/@copy_on_read",
    why: "what a guest reads by commands of its own QEMU does not see",
    remedy: AS_DISK,
    isBroken: (disk) => isLun(disk) && disk.driver?.copyOnRead === true,
  },
  {
    place: "readonly",
    why: "a device of its own commands is read and written as it wants",
    remedy: AS_DISK,
    isBroken: (disk) => disk.readonly && isLun(disk),
  },
  ...(["wwn", "vendor", "product", "serial", "blockio"] as const).map((place) => ({
    place,
    why: "a device of its own commands tells its own",
    remedy: AS_DISK,
    isBroken: (disk: Disk) => isLun(disk) && disk[place] !== undefined,
  })),
  ...(["slices", "encryption"] as const).map((place) => ({
    place: `source/${place}`,
    why: "a device of its own commands is passed through as a whole",
    remedy: LEAVE_OUT,
    isBroken: (disk: Disk) => isLun(disk) && hasInSource(disk, place),
  })),
  {
    place: "source/reservations",
    why: "only a device of its own commands is reserved",
    remedy: AS_LUN,
    isBroken: (disk) => !isLun(disk) && hasInSource(disk, "reservations"),
  },
  ...(["rawio", "sgio"] as const).map((name) => ({
    place: `@${name}`,
    why: "only a device of its own commands takes them",
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
