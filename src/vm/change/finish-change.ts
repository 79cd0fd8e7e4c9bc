import { asSvirtError } from "../../errors.ts";
import { settleSteps } from "../../plan/record/compact.ts";
import { isToldQemu } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import { aboutJobs, concludeJob } from "../../run/steps/block/block-job.ts";
import { isPlugged } from "../../run/steps/device.ts";
import { runPlan, type Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { actorFor, withRegistryLock } from "../../state/locks.ts";
import { type GuestChange, type GuestRecord, writeRecord } from "../../state/record.ts";
import { clearAway } from "../end/end-guest.ts";
import { followGuest } from "../end/follow-guest.ts";
import { type ChangingGuest, giveUp } from "./give-up.ts";

/** Carries out the rest of a change that can no longer be undone. The caller holds the guest's lock. */
export async function finishChange(node: Node, guest: GuestRecord, watch: Watch): Promise<void> {
  const { change } = guest;
  if (change !== undefined) await finish(node, { ...guest, change }, watch);
}

/**
 * Carries out the steps before QEMU's, then QEMU's. Labels and claims follow once the kernel shows that the guest has
 * released the files. Then the record has the changed guest, or the guest is removed.
 */
async function finish(node: Node, changing: ChangingGuest, watch: Watch): Promise<void> {
  const guest = await chooseOutcome(node, changing);
  const actor = actorFor(node, guest);
  const { after, ends, isTold, steps, xml } = guest.change;
  if (ends !== undefined) return await clearAway(node, guest, { reason: ends, watch });
  const first = after.findIndex(isToldQemu);
  const lead = after.slice(0, Math.max(first, 0));
  const told = isTold === true ? [] : [...lead, ...after.slice(lead.length).filter(isToldQemu)];
  let done = 0;
  try {
    await runPlan(actor, told, (moment, step, at) => {
      watch(moment, step, at);
      if (moment === "after") done += 1;
    });
  } catch (error) {
    if (done + steps.length === 0) await dropRefused(node, guest, error);
    await noteAsked(node, guest, error);
    throw error;
  }
  await giveUpTold(node, guest, {
    steps: after.slice(lead.length).filter((step) => !isToldQemu(step)),
    watch: (moment, step, at) => watch(moment, step, told.length + at),
  });
  if (guest.change.isForDefinition === true)
    await withRegistryLock(node, async () => followGuest(node, guest, xml));
  const { change, jobs: jobsBefore, ...before } = guest;
  const jobs = change.jobs ?? jobsBefore ?? [];
  writeRecord(node, {
    ...before,
    xml,
    steps: settleSteps(before.steps, { steps, after }),
    ...(jobs.length === 0 ? {} : { jobs }),
  });
}

/**
 * Records the expected outcome first, then lets QEMU finish the job: a later call recovers from the record. The other
 * outcome is rare, and is recorded before it is applied.
 */
async function chooseOutcome(node: Node, guest: ChangingGuest): Promise<ChangingGuest> {
  const { isForDefinition, otherwise, ...change } = guest.change;
  const adopted = change.after.find((step) => step.do === "adopt-chain");
  const job = guest.jobs?.find(({ device }) => device === adopted?.device);
  if (change.isTold === true || otherwise === undefined || adopted === undefined || job === undefined)
    return guest;
  const expected = isForDefinition === true;
  const isDone = await aboutJobs(node.host, adopted.monitor, (monitor) =>
    concludeJob(node.host, monitor, { job, expected }),
  );
  if (isDone === expected) return guest;
  const other: ChangingGuest = { ...guest, change: { ...change, ...otherwise } };
  writeRecord(node, other);
  return other;
}

/** Records that QEMU has done its part, so that a later call neither repeats it nor waits for a guest that keeps a file. */
async function giveUpTold(
  node: Node,
  guest: ChangingGuest,
  given: { readonly steps: readonly Step[]; readonly watch: Watch },
): Promise<void> {
  try {
    await giveUp(node, guest, { ...given, isWaiting: guest.change.isTold !== true });
  } catch (error) {
    if (asSvirtError(error).kind === "partly" && guest.change.isTold !== true)
      writeRecord(node, { ...guest, change: { ...guest.change, isTold: true } });
    throw error;
  }
}

/** Records that the guest was asked: it releases the device in its own time, and later calls only check. */
async function noteAsked(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  if (asSvirtError(error).kind !== "timeout" || !(await isStillPlugged(node, guest.change))) return;
  writeRecord(node, { ...guest, change: { ...guest.change, isAsked: true } });
}

/** Drops a change that QEMU refused at its first command: nothing was changed, so there is nothing to finish. */
async function dropRefused(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  const isRefused = asSvirtError(error).message.includes("unable to execute QEMU command");
  if (!isRefused || !(await isStillPlugged(node, guest.change))) return;
  const { change: _, ...unchanged } = guest;
  writeRecord(node, unchanged);
}

/** Reports whether the guest still has a device that the change removes. */
export async function isStillPlugged({ host }: Node, { after }: GuestChange): Promise<boolean> {
  for (const step of after) if (step.do === "unplug" && (await isPlugged(host, step))) return true;
  return false;
}
