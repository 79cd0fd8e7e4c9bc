import type { VirtioOptions } from "../../domain/forms/virtio-driver.ts";

/** The keys of -device for the options that any virtio device can have. qemuBuildVirtioDevProps() of libvirt */
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

/** QEMU's driver for a virtio device on PCI: one of the three for each device. qemuBuildVirtioDevGetConfig() of libvirt */
export function virtioDriver(name: string, model: string | undefined): string {
  const kind = /-(?:non-)?transitional$/.exec(model ?? "")?.[0] ?? "";
  return `${name}-pci${kind}`;
}
