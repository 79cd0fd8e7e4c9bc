/**
 * Driver reserving a PCI device for the process with its open group. Documentation/driver-api/vfio.rst of
 * Linux
 */
export const VFIO_PCI = "vfio-pci";

/**
 * Returns whether a driver's name is vfio-pci or its variant for some kind of device: mlx5_vfio_pci,
 * vfio-pci-igb.
 */
export function isVfioDriver(name: string): boolean {
  return /(?:^|[-_])vfio[-_]pci(?:$|[-_])/.test(name);
}
