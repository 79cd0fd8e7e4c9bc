import type { Node } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { followGuest } from "./follow-guest.ts";
import { xmlAfter } from "./xml-after.ts";

/**
 * What the definition of a guest names whose end came before that of a change of its images. What was being finished was
 * certain. Whether QEMU has gone over to the overlays of a snapshot nobody could see: those that nobody has written into
 * were removed by now; one that is left has what the guest wrote last. The caller holds the registry's lock.
 */
export function keepImages(node: Node, guest: GuestRecord): void {
  const { change, jobs = [] } = guest;
  if (change?.stage === "finishing" && change.isForDefinition === true) followGuest(node, guest, change.xml);
  for (const job of jobs) {
    if (job.type !== "snapshot" || job.made === undefined) continue;
    if (node.host.inspectFile(job.made) !== undefined) followGuest(node, guest, xmlAfter(guest, job));
  }
}
