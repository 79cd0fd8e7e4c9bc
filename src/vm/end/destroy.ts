import type { Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { readRecord, writeEnding } from "../../state/record.ts";
import { findDomain } from "../guest/find-domain.ts";
import { clearAway } from "./end-guest.ts";

/** Ends a guest at once and undoes its start. `did` is false if the guest was off. Throws "not-found". */
export async function destroyDomain(
  node: Node,
  key: string,
  watch?: Watch,
): Promise<{ name: string; did: boolean }> {
  const { guest, name } = findDomain(node, key);
  if (guest === undefined) return { name, did: false };
  return await withGuestLock(node, guest.uuid, async () => {
    const now = readRecord(node, guest.uuid);
    if (now === undefined) return { name, did: false };
    // Recorded first: after a crash, the next call must not take this end for the guest's own shutdown.
    const asked = { ...now, intent: "destroy" } as const;
    writeEnding(node, asked);
    await clearAway(node, asked, { reason: "destroyed", ...(watch === undefined ? {} : { watch }) });
    return { name, did: true };
  });
}
