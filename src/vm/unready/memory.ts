import type { Domain } from "../../domain/domain.ts";
import type { MemoryDevice } from "../../domain/memory-device.ts";
import type { Unready } from "./unready.ts";

const LEAVE_OUT = "Leave it out.";

/** Memory that comes from more than QEMU's own. */
export function listUnreadyMemory(domain: Domain): readonly Unready[] {
  const { memoryBacking: backing, devices } = domain;
  const at = (isAsked: boolean, place: string, missing: string): readonly Unready[] =>
    isAsked ? [{ place: `/domain/${place}`, missing, remedy: LEAVE_OUT }] : [];
  return [
    ...at(backing?.hugepages !== undefined, "memoryBacking/hugepages", "set huge pages aside"),
    ...at(backing?.locked === true, "memoryBacking/locked", "lock a guest's memory"),
    ...devices.memories.flatMap((device, index) => {
      const missing = missingFor(device);
      return at(missing !== undefined, `devices/memory[${index + 1}]`, missing ?? "");
    }),
  ];
}

function missingFor(device: MemoryDevice): string | undefined {
  switch (device.model) {
    case "dimm":
    case "virtio-mem":
      return device.source === undefined ? undefined : "choose the host's pages and NUMA nodes";
    case "nvdimm":
    case "virtio-pmem":
      return "give a guest a file as its memory";
    case "sgx-epc":
      return "give a guest the processor's enclaves";
  }
}
