import type { Domain } from "./domain.ts";

/** Whether other programs can see all of the guest's memory, as a vhost-user program must. virDomainDefHasMemoryShared…() of libvirt */
export function sharesMemory({ cpu, memoryBacking }: Domain): boolean {
  const access = memoryBacking?.access?.mode;
  const cells = cpu?.numa?.cells ?? [];
  if (cells.length === 0) return access === "shared";
  return cells.every(({ memAccess }) => (memAccess ?? access) === "shared");
}
