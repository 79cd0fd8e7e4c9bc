import type { HostPciAddress } from "./address.ts";

/**
 * Returns the kernel's and QEMU's name of a host PCI device, "0000:06:12.1". virPCIDeviceAddressAsString() of
 * libvirt
 */
export function hostPciName({ domain = 0, bus, slot, function: fn }: HostPciAddress): string {
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${fn}`;
}

/** Returns the folder of a host PCI device in sysfs, which links to its IOMMU group. */
export function hostPciPath(address: HostPciAddress): string {
  return `/sys/bus/pci/devices/${hostPciName(address)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
