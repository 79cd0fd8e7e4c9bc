import { checkEach, contradict, type Faults } from "../../xml/faults.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import type { MemoryDevice } from "../devices/memory.ts";
import type { Devices } from "../devices.ts";
import type { Cpu } from "../machine/cpu.ts";
import { listCells } from "../machine/list-cells.ts";
import type { MemoryBacking } from "../machine/memory-backing.ts";
import type { Numatune } from "../machine/numatune.ts";
import type { Vcpu } from "../machine/vcpu.ts";
import type { CheckedDomain } from "./checked-domain.ts";

interface Parts {
  readonly memory: { readonly kiB: number };
  readonly maxMemory?: { readonly kiB: number; readonly slots?: number };
  readonly memoryBacking?: MemoryBacking;
  readonly numatune?: Numatune;
  readonly vcpu?: Vcpu;
  readonly cpu?: Cpu;
  readonly devices: Devices;
}

/** Refuses settings for memory or NUMA cells that the guest lacks. `node` is the `<domain>`. */
export function refuseMemoryContradictions(value: Parts, node: XmlNode, faults?: Faults): void {
  const cells = listCells(value.cpu?.numa ?? { cells: [] });
  const { memories } = value.devices;
  const refuse = (place: string, problem: string): Error =>
    notUnderstood({ node, place }, problem, "Correct one of them.");
  checkEach(faults, [
    () => {
      const unknown = value.numatune?.memnodes.find(({ cellid }) => cellid >= cells.length);
      if (unknown !== undefined) {
        throw refuse("numatune/memnode", `the guest has no NUMA cell ${unknown.cellid}`);
      }
    },
    () => {
      const nodes = (value.memoryBacking?.hugepages?.pages ?? []).flatMap(({ nodeset }) => nodeset ?? []);
      // Without cells, node 0 is the whole guest. virDomainDefPostParseMemtune() of libvirt
      const missing = nodes.find((id) => id >= Math.max(1, cells.length));
      if (missing !== undefined) {
        throw refuse("memoryBacking/hugepages", `the guest has no NUMA cell ${missing}`);
      }
    },
    () => {
      const count = value.vcpu?.count ?? 1;
      const cpu = cells.flatMap(({ cpus = [] }) => cpus).find((id) => id >= count);
      if (cpu !== undefined) throw refuse("cpu/numa/cell/@cpus", `the guest has no virtual CPU ${cpu}`);
    },
    () => {
      const isEmpty = cells.length > 0 && cells.every(({ cpus }) => cpus === undefined);
      if (isEmpty) throw refuse("cpu/numa", "no cell has a virtual CPU");
    },
    () => {
      const far = value.devices.controllers.find(
        (found) => found.type === "pci" && (found.target?.node ?? -1) >= cells.length,
      );
      if (far === undefined) return;
      throw refuse("devices/controller/target/node", "the guest has no such NUMA cell");
    },
    () => refuseHotplug(value, cells.length, { node, faults }),
    () => refuseOtherCells(memories, cells.length, { node, faults }),
    () => refuseOverlap(memories, { node, faults }),
  ]);
}

// qemuDomainDefValidateMemoryHotplug() of libvirt
function refuseHotplug(
  { memory, maxMemory, devices }: Parts,
  cells: number,
  { node, faults }: CheckedDomain,
): void {
  const { memories } = devices;
  const inSlots = memories.filter(isInSlot).length;
  const plugged = memories.some(({ model }) => model !== "sgx-epc");
  const sizes = memories.reduce((sum, { target }) => sum + target.sizeKiB, 0);
  const slots = maxMemory?.slots ?? 0;
  const problems = [
    [maxMemory !== undefined && cells === 0, "maxMemory", "it requires a NUMA cell"],
    [maxMemory !== undefined && maxMemory.kiB < memory.kiB, "maxMemory", "it is less than <memory>"],
    [plugged && maxMemory === undefined, "devices/memory", "memory devices need <maxMemory>"],
    [inSlots > slots, "devices/memory", `there are ${inSlots} for ${slots} slots`],
    [sizes >= memory.kiB, "memory", "its memory devices are larger"],
  ] as const;
  for (const [isWrong, place, problem] of problems) {
    if (isWrong) contradict(faults, notUnderstood({ node, place }, problem, "Correct one of them."));
  }
}

function refuseOtherCells(
  memories: readonly MemoryDevice[],
  cells: number,
  { node, faults }: CheckedDomain,
): void {
  for (const [index, device] of memories.entries()) {
    if (device.model === "virtio-pmem" || device.model === "sgx-epc") continue;
    const cell = device.target.node;
    if (cell !== undefined && cell < cells) continue;
    const problem = cell === undefined ? "it is missing" : `the guest has no NUMA cell ${cell}`;
    const place = `devices/memory[${index + 1}]/target/node`;
    contradict(faults, notUnderstood({ node, place }, problem, "Write the number of a cell there."));
  }
  const other = memories.find(({ model, target }) => model === "sgx-epc" && !isCell(target, cells));
  if (other === undefined) return;
  throw notUnderstood({ node, place: "devices/memory" }, "an enclave has no NUMA cell", "Leave <node> out.");
}

// An enclave is in cell 0 by default, even without cells.
function isCell(target: { readonly node?: number }, cells: number): boolean {
  return (target.node ?? 0) < Math.max(1, cells);
}

function isInSlot({ model }: MemoryDevice): boolean {
  return model === "dimm" || model === "nvdimm";
}

// virDomainMemoryDefCheckConflict() of libvirt
function refuseOverlap(memories: readonly MemoryDevice[], { node, faults }: CheckedDomain): void {
  const areas = memories.flatMap((device, index) => {
    const start = startOf(device);
    return start === undefined ? [] : [{ start, end: start + device.target.sizeKiB * 1024, index }];
  });
  for (const [at, { start, end, index }] of areas.entries()) {
    if (!areas.slice(0, at).some((other) => start < other.end && other.start < end)) continue;
    const place = `devices/memory[${index + 1}]`;
    const problem = "its addresses overlap those of another device";
    contradict(faults, notUnderstood({ node, place }, problem, "Write another base."));
  }
}

function startOf(device: MemoryDevice): number | undefined {
  switch (device.model) {
    case "dimm":
    case "nvdimm":
      return device.address?.base;
    case "virtio-mem":
    case "virtio-pmem":
      return device.target.base?.base;
    case "sgx-epc":
      return undefined;
  }
}
