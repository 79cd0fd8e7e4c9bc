import type { MemoryDevice } from "../../domain/devices/memory.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Cpu } from "../../domain/machine/cpu.ts";
import { listCells } from "../../domain/machine/list-cells.ts";
import type { MemoryBacking } from "../../domain/machine/memory-backing.ts";
import type { Cell, Numa } from "../../domain/machine/numa.ts";
import type { Numatune } from "../../domain/machine/numatune.ts";

/** Returns the defaults of memory backing and NUMA tuning. */
export function fillMemory(domain: Domain): Pick<Domain, "memoryBacking" | "numatune"> {
  const { memoryBacking, cpu } = domain;
  const numatune = fillNumatune(domain);
  return {
    ...(memoryBacking === undefined ? {} : { memoryBacking: fillBacking(memoryBacking, cpu) }),
    ...(numatune === undefined ? {} : { numatune }),
  };
}

/**
 * Returns the cells by id. vCPUs named by no other cell belong to the first. qemuDomainDefNumaCPUsRectify()
 * of libvirt
 */
export function fillNuma(numa: Numa, { vcpu }: Pick<Domain, "vcpu">): Numa {
  const cells = listCells(numa).map((cell) => addDistances(cell, numa));
  const count = vcpu?.count ?? 1;
  if (cells.flatMap(({ cpus = [] }) => cpus).length >= count) return { ...numa, cells };
  const others = new Set(cells.slice(1).flatMap(({ cpus = [] }) => cpus));
  const missing = [...Array(count).keys()].filter((id) => !others.has(id));
  return { ...numa, cells: cells.map((cell, at) => (at === 0 ? { ...cell, cpus: missing } : cell)) };
}

/**
 * Assigns the next free slot to each memory device without a slot. qemuAssignDeviceMemoryAlias() of libvirt
 */
export function placeMemories(memories: readonly MemoryDevice[]): readonly MemoryDevice[] {
  const taken = new Set(
    memories.map((device) =>
      device.model === "dimm" || device.model === "nvdimm" ? device.address?.slot : undefined,
    ),
  );
  return memories.map((device) => {
    if (device.model !== "dimm" && device.model !== "nvdimm") return device;
    if (device.address?.slot !== undefined) return device;
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    taken.add(slot);
    return { ...device, address: { ...device.address, type: "dimm", slot } };
  });
}

/**
 * A distance given in a single direction holds for both. virDomainNumaDefNodeDistanceParseXML() of libvirt
 */
function addDistances(cell: Cell & { readonly id: number }, numa: Numa): Cell {
  const siblings = listCells(numa).flatMap(({ id, distances }) => {
    const there = cell.distances?.siblings.find((found) => found.id === id)?.value;
    const back = distances?.siblings.find((found) => found.id === cell.id)?.value;
    const value = there ?? back;
    return value === undefined ? [] : [{ id, value }];
  });
  return siblings.length === 0 ? cell : { ...cell, distances: { siblings } };
}

// Without cells node 0 is the whole guest. virDomainDefPostParseMemtune() of libvirt
function fillBacking(backing: MemoryBacking, cpu: Cpu | undefined): MemoryBacking {
  if ((cpu?.numa?.cells.length ?? 0) > 0 || backing.hugepages === undefined) return backing;
  const pages = backing.hugepages.pages.map(({ nodeset: _nodeset, ...page }) => page);
  return { ...backing, hugepages: { pages } };
}

// virDomainNumatuneSet() of libvirt: if numad places the vCPUs, it places the memory too.
function fillNumatune({ numatune, vcpu }: Domain): Numatune | undefined {
  const memory = numatune?.memory ?? (vcpu?.placement === "auto" ? {} : undefined);
  const memnodes = (numatune?.memnodes ?? []).toSorted((one, other) => one.cellid - other.cellid);
  if (memory === undefined) return numatune && { memnodes };
  const { mode = "strict", nodeset, placement = nodeset === undefined ? "auto" : "static" } = memory;
  const where = placement === "auto" || nodeset === undefined ? { placement } : { nodeset };
  return { memory: { mode, ...where }, memnodes };
}
