import type { Domain } from "../../domain/domain.ts";
import type { Unready } from "./unready.ts";

const LEAVE_OUT = "Leave it out.";

/** Memory that comes from more than QEMU's own. */
export function listUnreadyMemory(domain: Domain): readonly Unready[] {
  const at = (isAsked: boolean, place: string, missing: string): readonly Unready[] =>
    isAsked ? [{ place: `/domain/${place}`, missing, remedy: LEAVE_OUT }] : [];
  return [
    ...domain.devices.memories.flatMap(({ model }, index) =>
      at(model === "sgx-epc", `devices/memory[${index + 1}]`, "give a guest the processor's enclaves"),
    ),
  ];
}
