import { asSvirtError } from "../../errors.ts";
import { compactSteps } from "../../plan/record/compact.ts";
import { isMonitorStep } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import { aboutJobs, concludeJob } from "../../run/steps/block/block-job.ts";
import { isPlugged, UnplugError } from "../../run/steps/device.ts";
import { runPlan, type StepObserver } from "../../run/steps/run-plan.ts";
import { actorFor } from "../../state/actor-for.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { type GuestChange, type GuestRecord, writeRecord } from "../../state/record.ts";
import { noteMerged } from "../../state/snapshots/snapshot-merge.ts";
import { findAdopted } from "../end/adopted-job.ts";
import { endGuest } from "../end/end-guest.ts";
import { updateDefinition } from "../end/follow-guest.ts";
import { type ChangingGuest, releaseResources } from "./release-resources.ts";

/** How to finish a change. */
interface Finishing {
  readonly observer: StepObserver;
  /** Time for the guest to release a device; absent: as in libvirt. */
  readonly releaseMs?: number;
}

/**
 * Carries out the rest of a change beyond the point of undoing. The caller holds the guest's lock. Throws
 * UnplugError if the guest keeps a device; its change is then no longer in progress.
 */
export async function finishChange(instance: Instance, guest: GuestRecord, how: Finishing): Promise<void> {
  const { change } = guest;
  if (change !== undefined) await finish(instance, { ...guest, change }, how);
}

/**
 * Carries out the steps before QEMU's, then QEMU's. Labels and claims follow once the kernel shows that the
 * guest has released the files. Then the record has the changed guest, or the guest is removed.
 */
async function finish(
  instance: Instance,
  changing: ChangingGuest,
  { observer, ...limits }: Finishing,
): Promise<void> {
  const guest = await chooseOutcome(instance, changing);
  const actor = { ...actorFor(instance, guest), ...limits };
  const { after, ends, isTold, steps, xml } = guest.change;
  if (ends !== undefined) return await endGuest(instance, guest, { reason: ends, observer });
  const first = after.findIndex(isMonitorStep);
  const lead = after.slice(0, Math.max(first, 0));
  const told = isTold === true ? [] : [...lead, ...after.slice(lead.length).filter(isMonitorStep)];
  let done = 0;
  try {
    await runPlan(actor, told, (moment, step, at) => {
      observer(moment, step, at);
      if (moment === "after") done += 1;
    });
  } catch (error) {
    if (done + steps.length === 0) await dropRefused(instance, guest, error);
    throw error;
  }
  await releaseAndRecord(instance, guest, {
    steps: after.slice(lead.length).filter((step) => !isMonitorStep(step)),
    observer: (moment, step, at) => observer(moment, step, told.length + at),
  });
  if (guest.change.isForDefinition === true) {
    await withRegistryLock(instance, async () => {
      updateDefinition(instance, guest, xml);
      keepTaken(instance, guest);
    });
  }
  const { asked: askedBefore = [], change, jobs: jobsBefore, ...before } = guest;
  const jobs = change.jobs ?? jobsBefore ?? [];
  const asked = askedBefore.filter((device) => !devicesOf(change).includes(device));
  writeRecord(instance, {
    ...before,
    xml,
    ...change.actions,
    steps: compactSteps(before.steps, { steps, after }),
    ...(asked.length === 0 ? {} : { asked }),
    ...(jobs.length === 0 ? {} : { jobs }),
  });
}

/**
 * Stores the snapshot completed by this change, if requested; or notes the merge of a deleted snapshot's
 * overlay.
 */
function keepTaken(instance: Instance, guest: ChangingGuest): void {
  const { uuid } = guest;
  const job = findAdopted(guest)?.job;
  if (job?.merges === true) noteMerged(instance, uuid, job.disk);
  const xml = job?.snapshot;
  if (xml === undefined) return;
  // Loads the forms of XML.
  const {
    keepSnapshot,
  }: typeof import("../../state/snapshots/snapshot-tree.ts") = require("../../state/snapshots/snapshot-tree.ts");
  keepSnapshot(instance, uuid, xml);
}

/**
 * Records the expected outcome first, then lets QEMU finish the job: a later call recovers from the record.
 * The other outcome is rare, and is recorded before it is applied.
 */
async function chooseOutcome(instance: Instance, guest: ChangingGuest): Promise<ChangingGuest> {
  const { isForDefinition, otherwise, ...change } = guest.change;
  const found = findAdopted(guest);
  if (change.isTold === true || otherwise === undefined || found === undefined) return guest;
  const { adopted, job } = found;
  const expected = isForDefinition === true;
  const isDone = await aboutJobs(instance.host, adopted.monitor, (monitor) =>
    concludeJob(instance.host, monitor, { job, expected }),
  );
  if (isDone === expected) return guest;
  const other: ChangingGuest = { ...guest, change: { ...change, ...otherwise } };
  writeRecord(instance, other);
  return other;
}

/**
 * Releases the resources. If the guest keeps any, records QEMU's part as done: a later call neither repeats
 * the commands nor waits.
 */
async function releaseAndRecord(
  instance: Instance,
  guest: ChangingGuest,
  given: { readonly steps: readonly Step[]; readonly observer: StepObserver },
): Promise<void> {
  try {
    await releaseResources(instance, guest, { ...given, isWaiting: guest.change.isTold !== true });
  } catch (error) {
    if (asSvirtError(error).kind === "partly" && guest.change.isTold !== true)
      writeRecord(instance, { ...guest, change: { ...guest.change, isTold: true } });
    throw error;
  }
}

/** Lists QEMU's names of a change's removed devices. */
export function devicesOf({ after }: GuestChange): readonly string[] {
  return after.flatMap((step) => (step.do === "unplug" && step.device !== undefined ? [step.device] : []));
}

/**
 * Drops a change refused by QEMU or the guest at its first command: nothing was changed, so there is nothing
 * to finish. A guest with a device not released yet may release it at any time; this is noted.
 */
async function dropRefused(instance: Instance, guest: ChangingGuest, error: unknown): Promise<void> {
  const { change, ...unchanged } = guest;
  if (error instanceof UnplugError) {
    const asked = [...new Set([...(guest.asked ?? []), error.device])];
    writeRecord(instance, error.outcome === "kept" ? { ...unchanged, asked } : unchanged);
  } else if (isRefused(error) && (await isStillPlugged(instance, change))) {
    writeRecord(instance, unchanged);
  }
}

/** Reports whether QEMU has refused a command and so changed nothing. */
export function isRefused(error: unknown): boolean {
  return asSvirtError(error).message.includes("unable to execute QEMU command");
}

/** Reports whether the guest still has a device to be removed by the change. */
async function isStillPlugged({ host }: Instance, { after }: GuestChange): Promise<boolean> {
  for (const step of after) if (step.do === "unplug" && (await isPlugged(host, step))) return true;
  return false;
}
