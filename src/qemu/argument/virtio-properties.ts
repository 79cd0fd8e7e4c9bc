import type { VirtioOptions } from "../../domain/forms/virtio-driver.ts";

/** Returns the keys of -device for the options of any virtio device. qemuBuildVirtioDevProps() of libvirt */
export function virtioKeys(
  options: VirtioOptions | undefined,
): Readonly<Record<string, boolean | undefined>> {
  return {
    iommu_platform: options?.iommu,
    ats: options?.ats,
    packed: options?.packed,
    "page-per-vq": options?.pagePerVq,
  };
}

/**
 * Returns QEMU's driver for a virtio PCI device: plain, transitional or non-transitional.
 * qemuBuildVirtioDevGetConfig() of libvirt
 */
export function virtioDriver(name: string, model: string | undefined): string {
  const kind = /-(?:non-)?transitional$/.exec(model ?? "")?.[0] ?? "";
  return `${name}-pci${kind}`;
}
