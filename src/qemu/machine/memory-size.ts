import type { MemoryDevice } from "../../domain/devices/memory.ts";
import type { Domain } from "../../domain/domain.ts";

/** Units of the guest's memory and of memory devices. qemuDomainAlignMemorySizes() of libvirt */
const [MEMORY_KIB, DEVICE_KIB] = [1024, 2048];

/** Rounds the initial memory up to QEMU's unit, in KiB. */
export function inWholeMiB(sizeKiB: number): number {
  return Math.ceil(sizeKiB / MEMORY_KIB) * MEMORY_KIB;
}

/** Returns the size of a memory device, rounded up to QEMU's unit, in KiB. */
export function deviceKiB({ target }: MemoryDevice): number {
  return Math.ceil(target.sizeKiB / DEVICE_KIB) * DEVICE_KIB;
}

/** Returns the memory without its devices, in KiB: the sum of the NUMA cells, or the rest of all memory. */
export function initialKiB({ cpu, memory, devices }: Domain): number {
  const cells = cpu?.numa?.cells ?? [];
  if (cells.length > 0) return cells.reduce((sum, cell) => sum + inWholeMiB(cell.memory), 0);
  return inWholeMiB(memory.kiB - devices.memories.reduce((sum, { target }) => sum + target.sizeKiB, 0));
}
