import { SvirtError } from "../../errors.ts";
import { guestPaths } from "../../plan/paths.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import { isPlugged } from "../../run/steps/device.ts";
import { NO_OBSERVER } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, readRecord, writeRecord } from "../../state/record.ts";
import { findRunning } from "../guest/aliased-device.ts";
import type { DecidedChange } from "./change-guest.ts";
import { changeIdleGuest } from "./change-idle-guest.ts";
import { decideDetach } from "./decide-detach.ts";

/**
 * Detaches the devices released by a guest since its request. The caller holds its lock, and no change is in
 * progress. A device with a refused detach stays noted: it is no error of another change. Throws the errors
 * of the monitor and of the steps.
 */
export async function detachReleased(instance: Instance, uuid: string): Promise<void> {
  forgetGone(instance, uuid);
  const { monitor } = guestPaths(instance.paths, uuid);
  for (const device of readRecord(instance, uuid)?.asked ?? []) {
    if (!(await isPlugged(instance.host, { monitor, device }))) await detach(instance, uuid, device);
  }
}

/** Drops the names of devices that the guest no longer has by its record. */
function forgetGone(instance: Instance, uuid: string): void {
  const guest = readRecord(instance, uuid);
  if (guest?.asked === undefined) return;
  const { asked: before, ...rest } = guest;
  const { devices } = listQemuObjects(guest.steps);
  const asked = before.filter((device) => devices.has(device));
  if (asked.length < before.length) writeRecord(instance, asked.length === 0 ? rest : { ...rest, asked });
}

async function detach(instance: Instance, uuid: string, device: string): Promise<void> {
  const what = `detach ${device}`;
  const decide = (guest: GuestRecord): DecidedChange =>
    decideDetach(instance, guest, (running, record) => findRunning(running, record, device));
  try {
    await changeIdleGuest(instance, uuid, { request: { what, decide }, observer: NO_OBSERVER });
  } catch (error) {
    // A change was refused, or QEMU has the device after all: a job still uses the disk, for example. A later
    // call tries again.
    const isUndone = error instanceof SvirtError && readRecord(instance, uuid)?.change === undefined;
    if (!isUndone) throw error;
  }
}
