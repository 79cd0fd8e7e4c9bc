import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { withGuestLock } from "../../state/locks.ts";
import { isRunning, readRecord, writeEnding } from "../../state/record.ts";
import { reasonOf } from "../../state/shutoff-reason.ts";
import { findDomain } from "../guest/find-domain.ts";
import { endGracefully } from "./end-gracefully.ts";
import { endGuest } from "./end-guest.ts";

/** How to end a guest. */
export interface EndOptions {
  readonly observer?: StepObserver;
  /** Do not kill a guest still running after 15 s. */
  readonly isGraceful?: boolean;
}

/**
 * Ends a guest immediately and undoes its start. `did` is false if the guest was off. If the guest has ended
 * by itself, waits until its reaper has restored its labels. Throws "not-found"; "timeout" for a graceful end
 * that QEMU does not carry out in time: the guest runs on, and counts as destroyed once it ends.
 */
export async function destroyDomain(
  instance: Instance,
  key: string,
  { isGraceful = false, observer }: EndOptions = {},
): Promise<{ name: string; did: boolean }> {
  const { guest, name, uuid } = findDomain(instance, key);
  if (guest === undefined && readRecord(instance, uuid) === undefined) return { name, did: false };
  const observed = observer === undefined ? {} : { observer };
  return await withGuestLock(instance, uuid, async () => {
    const now = readRecord(instance, uuid);
    if (now === undefined) return { name, did: false };
    if (!isRunning(instance, now)) {
      await endGuest(instance, now, { reason: reasonOf(instance, now), ...observed });
      return { name, did: false };
    }
    // Recorded first: after a crash, the next call must not take this end for the guest's own shutdown.
    const asked = { ...now, intent: "destroy" } as const;
    writeEnding(instance, asked);
    if (isGraceful) await endGracefully(instance, asked);
    await endGuest(instance, asked, { reason: "destroyed", ...observed });
    return { name, did: true };
  });
}
