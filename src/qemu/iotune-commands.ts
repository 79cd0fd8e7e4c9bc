import type { Disk } from "../domain/devices/disk/disk.ts";
import { diskBus } from "../domain/devices/disk/facts.ts";
import { diskId } from "./devices/disk/argv.ts";
import type { Guest } from "./model/guest.ts";
import type { QmpCommand } from "./monitor/qmp.ts";

type Iotune = NonNullable<Disk["iotune"]>;

/** Names of the limits in the monitor, in libvirt's order. qemuMonitorJSONSetBlockIoThrottle() */
const LIMITS = [
  ["bps", "totalBytesSec"],
  ["bps_rd", "readBytesSec"],
  ["bps_wr", "writeBytesSec"],
  ["iops", "totalIopsSec"],
  ["iops_rd", "readIopsSec"],
  ["iops_wr", "writeIopsSec"],
  ["bps_max", "totalBytesSecMax"],
  ["bps_rd_max", "readBytesSecMax"],
  ["bps_wr_max", "writeBytesSecMax"],
  ["iops_max", "totalIopsSecMax"],
  ["iops_rd_max", "readIopsSecMax"],
  ["iops_wr_max", "writeIopsSecMax"],
  ["iops_size", "sizeIopsSec"],
] as const satisfies readonly (readonly [string, keyof Iotune])[];

/** Names of the burst lengths. They are sent only if set: QEMU refuses a length of 0. */
const LENGTHS = [
  ["bps_max_length", "totalBytesSecMaxLength"],
  ["bps_rd_max_length", "readBytesSecMaxLength"],
  ["bps_wr_max_length", "writeBytesSecMaxLength"],
  ["iops_max_length", "totalIopsSecMaxLength"],
  ["iops_rd_max_length", "readIopsSecMaxLength"],
  ["iops_wr_max_length", "writeIopsSecMaxLength"],
] as const satisfies readonly (readonly [string, keyof Iotune])[];

/**
 * Returns the monitor command for a disk's speed limits, since -device has no option for them. Empty without
 * `<iotune>`.
 */
export function limitSpeed(guest: Guest, disk: Disk): readonly QmpCommand[] {
  const { iotune } = disk;
  return iotune === undefined || disk.source === undefined ? [] : [setSpeed(guest, disk, iotune)];
}

/** Returns the monitor command for a disk's limits; undefined: none. */
export function setSpeed(
  guest: Guest,
  disk: Disk,
  iotune: Partial<Iotune> = {},
): QmpCommand & { readonly arguments: Record<string, unknown> } {
  const lengths = LENGTHS.filter(([, amount]) => (iotune[amount] ?? 0) > 0);
  const limits = [...LIMITS, ...lengths].map(([name, amount]) => [name, iotune[amount] ?? 0]);
  const group = iotune.groupName === undefined ? {} : { group: iotune.groupName };
  return {
    execute: "block_set_io_throttle",
    arguments: { id: backendId(guest, disk), ...Object.fromEntries(limits), ...group },
  };
}

/**
 * On virtio the backend is a child of the device with the id. qemuDomainSetDiskIoTune… of libvirt: its QOM
 * path
 */
function backendId(guest: Guest, disk: Disk): string {
  const id = diskId(guest, disk);
  return diskBus(disk) === "virtio" ? `/machine/peripheral/${id}/virtio-backend` : id;
}
