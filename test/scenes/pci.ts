import { expect } from "bun:test";
import type { Machine } from "../memory-host/machine.ts";
import type { PciOptions } from "../memory-host/pci-bus.ts";
import { nodeOn, putNode } from "./scene.ts";
import type { Work } from "./strikes.ts";

/** Returns the folder of a PCI device in sysfs. */
export function pciFolder(name: string): string {
  return `/sys/bus/pci/devices/${name}`;
}

/** Adds PCI devices to sysfs, with VFIO's device node and modules. */
export function putPciDevices(machine: Machine, devices: readonly PciOptions[]): void {
  const { files } = machine;
  files.putFolder("/sys/module/vfio_iommu_type1");
  files.putFolder("/sys/bus/pci/drivers/vfio-pci");
  putNode(machine, "/dev/vfio/vfio", { node: "10:196", type: "vfio_device_t", mode: 0o666 });
  machine.sharedFiles.add("/dev/vfio/vfio");
  for (const device of devices) machine.pci.put(device);
}

/** Adds a mediated device, which has its own IOMMU group. */
export function putMediated(machine: Machine, name: string, group: string): void {
  const folder = `/sys/bus/mdev/devices/${name}`;
  machine.files.putFolder(`/sys/kernel/iommu_groups/${group}`);
  machine.files.putFolder(folder);
  machine.files.put(`${folder}/iommu_group`, "symlink", { target: `/sys/kernel/iommu_groups/${group}` });
}

/** Does the work, and lets another svirt act while the kernel is asked to change a driver. */
export async function during(machine: Machine, work: Work, act: () => Promise<void>): Promise<void> {
  const { host, ...node } = nodeOn(machine);
  let hasActed = false;
  const writeControls: typeof host.writeControls = async (writes, limitMs, lock) => {
    if (!hasActed) {
      hasActed = true;
      await act();
    }
    await host.writeControls(writes, limitMs, lock);
  };
  await work({ ...node, host: { ...host, writeControls } } as ReturnType<typeof nodeOn>);
  expect(hasActed).toBe(true);
}
