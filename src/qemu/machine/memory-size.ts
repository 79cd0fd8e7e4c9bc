import type { MemoryDevice } from "../../domain/devices/memory.ts";
import type { Domain } from "../../domain/domain.ts";

/** QEMU's memory, and what is plugged in, come in such pieces. qemuDomainAlignMemorySizes() of libvirt */
const [MEMORY_KIB, DEVICE_KIB] = [1024, 2048];

/** Rounded up to what QEMU takes for the memory that a guest begins with. */
export function inWholeMiB(sizeKiB: number): number {
  return Math.ceil(sizeKiB / MEMORY_KIB) * MEMORY_KIB;
}

/** Rounded up to what QEMU takes for a memory device. */
export function deviceKiB({ target }: MemoryDevice): number {
  return Math.ceil(target.sizeKiB / DEVICE_KIB) * DEVICE_KIB;
}

/** The memory without its devices: that of the NUMA cells, or what is left of all. */
export function initialKiB({ cpu, memory, devices }: Domain): number {
  const cells = cpu?.numa?.cells ?? [];
  if (cells.length > 0) return cells.reduce((sum, cell) => sum + inWholeMiB(cell.memory), 0);
  return inWholeMiB(memory.kiB - devices.memories.reduce((sum, { target }) => sum + target.sizeKiB, 0));
}
