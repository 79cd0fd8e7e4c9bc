import { followGuest } from "../follow-guest.ts";
import type { Node } from "../node.ts";
import type { GuestRecord } from "../record.ts";
import { xmlAfter } from "./xml-after.ts";

/**
 * A guest has ended before anybody could see whether its QEMU had gone over to the overlays of a snapshot. Those that
 * nobody has written into were removed by now; one that is left has what the guest wrote last, so the definition names it. The caller
 * holds the registry's lock.
 */
export function keepOverlays(node: Node, guest: GuestRecord): void {
  for (const job of guest.jobs ?? []) {
    if (job.type !== "snapshot" || job.made === undefined) continue;
    if (node.host.inspectFile(job.made) !== undefined) followGuest(node, guest, xmlAfter(guest, job));
  }
}
