import type { Domain } from "./domain.ts";

/** Whether the XML names any firmware. The completed domain then depends on the host. */
export function namesFirmware({ firmware, loader, nvram }: Domain["os"]): boolean {
  return firmware !== undefined || loader !== undefined || nvram !== undefined;
}
