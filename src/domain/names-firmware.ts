import type { Domain } from "./domain.ts";

/** Whether the XML says anything of firmware: what the domain becomes then depends on the host that has it. */
export function namesFirmware({ firmware, loader, nvram }: Domain["os"]): boolean {
  return firmware !== undefined || loader !== undefined || nvram !== undefined;
}
