import type { HostPciAddress } from "./address.ts";

/** A PCI device of the host as the kernel and QEMU call it, "0000:06:12.1". virPCIDeviceAddressAsString() of libvirt */
export function hostPciName({ domain = 0, bus, slot, function: fn }: HostPciAddress): string {
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${fn}`;
}

/** Its folder in sysfs, which leads to the group of devices that it is passed through with. */
export function hostPciPath(address: HostPciAddress): string {
  return `/sys/bus/pci/devices/${hostPciName(address)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
