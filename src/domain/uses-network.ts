import type { Disk } from "./devices/disk/disk.ts";
import type { HostDevice } from "./devices/hostdev.ts";
import type { Domain } from "./domain.ts";

/**
 * Whether QEMU itself makes connections for the guest: for user networking, or to servers of images and
 * devices.
 */
export function usesNetwork({ devices }: Pick<Domain, "devices">): boolean {
  return (
    devices.interfaces.some(({ type }) => type === "user") ||
    devices.disks.some(isServed) ||
    devices.hostdevs.some(isServedDevice)
  );
}

/**
 * Whether QEMU itself connects to a disk's server. If the server is another program of the host, svirt
 * connects to it.
 */
export function isServed(disk: Disk): boolean {
  return disk.type === "network" && !(disk.source?.hosts ?? []).some(({ transport }) => transport === "unix");
}

/** Whether a device comes over the network. */
export function isServedDevice(device: HostDevice): boolean {
  return device.type === "scsi" && device.source.protocol === "iscsi";
}
