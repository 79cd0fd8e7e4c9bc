import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { readRecord, writeEnding } from "../../state/record.ts";
import { findDomain } from "../guest/find-domain.ts";
import { endGuest } from "./end-guest.ts";

/** Ends a guest at once and undoes its start. `did` is false if the guest was off. Throws "not-found". */
export async function destroyDomain(
  instance: Instance,
  key: string,
  observer?: StepObserver,
): Promise<{ name: string; did: boolean }> {
  const { guest, name } = findDomain(instance, key);
  if (guest === undefined) return { name, did: false };
  return await withGuestLock(instance, guest.uuid, async () => {
    const now = readRecord(instance, guest.uuid);
    if (now === undefined) return { name, did: false };
    // Recorded first: after a crash, the next call must not take this end for the guest's own shutdown.
    const asked = { ...now, intent: "destroy" } as const;
    writeEnding(instance, asked);
    await endGuest(instance, asked, { reason: "destroyed", ...(observer === undefined ? {} : { observer }) });
    return { name, did: true };
  });
}
