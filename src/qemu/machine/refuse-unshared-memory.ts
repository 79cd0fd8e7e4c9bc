import type { Guest } from "../model/guest.ts";
import { cannotTranslate } from "../refusal.ts";

// Rule: A device that another program serves needs shared memory.

/**
 * Refuses a device served by another program without access to the guest's memory. Throws "unsupported".
 * qemuValidateDomainDefVhostUserRequireSharedMemory() of libvirt
 */
export function refuseUnsharedMemory({ domain }: Guest, place: string): void {
  const whole = domain.memoryBacking?.access?.mode === "shared";
  const cells = domain.cpu?.numa?.cells ?? [];
  const isShared = cells.every(({ memAccess }) => (memAccess === undefined ? whole : memAccess === "shared"));
  if (isShared && (whole || cells.length > 0)) return;
  throw cannotTranslate(
    place,
    "a vhost-user device requires shared guest memory",
    "Write <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>.",
  );
}
