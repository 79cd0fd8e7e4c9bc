import type { Disk } from "./disk.ts";
import type { Domain } from "./domain.ts";
import type { HostDevice } from "./host-device.ts";

/** Whether QEMU itself makes connections for the guest: its own network, and images and devices that others serve. */
export function usesNetwork({ devices }: Pick<Domain, "devices">): boolean {
  return (
    devices.interfaces.some(({ type }) => type === "user") ||
    devices.disks.some(isServed) ||
    devices.hostdevs.some(isServedDevice)
  );
}

/** Whether a disk lies on the network. */
export function isServed({ type }: Disk): boolean {
  return type === "network";
}

function isServedDevice(device: HostDevice): boolean {
  return device.type === "scsi" && device.source.protocol === "iscsi";
}
