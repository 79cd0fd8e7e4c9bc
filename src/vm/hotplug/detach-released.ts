import { guestPaths } from "../../plan/paths.ts";
import { isPlugged } from "../../run/steps/device.ts";
import { NO_OBSERVER } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { readRecord } from "../../state/record.ts";
import { changeIdleGuest } from "../change/change-guest.ts";
import { findRunning } from "./aliased-device.ts";
import { detachFound } from "./live-change.ts";

/**
 * Detaches the devices that a guest has released since it was asked to. The caller holds its lock. Throws the errors of the monitor
 * and of the steps.
 */
export async function detachReleased(instance: Instance, uuid: string): Promise<void> {
  const { monitor } = guestPaths(instance.paths, uuid);
  for (const device of readRecord(instance, uuid)?.asked ?? []) {
    if (readRecord(instance, uuid)?.change !== undefined) return;
    if (!(await isPlugged(instance.host, { monitor, device }))) await detach(instance, uuid, device);
  }
}

async function detach(instance: Instance, uuid: string, device: string): Promise<void> {
  const request = detachFound(instance, device, (guest) => findRunning(guest, device));
  try {
    await changeIdleGuest(instance, uuid, { request, observer: NO_OBSERVER });
  } catch (error) {
    // Nothing was begun, as for a disk that a job still uses: a later call tries again.
    if (readRecord(instance, uuid)?.change !== undefined) throw error;
  }
}
