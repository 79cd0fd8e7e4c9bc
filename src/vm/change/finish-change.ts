import { asSvirtError } from "../../errors.ts";
import { settleSteps } from "../../plan/record/compact.ts";
import { isToldQemu } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import { aboutJobs, concludeJob } from "../../run/steps/block-job.ts";
import { isPlugged } from "../../run/steps/plug.ts";
import { runPlan, type Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { actorFor, withRegistryLock } from "../../state/locks.ts";
import { type GuestChange, type GuestRecord, writeRecord } from "../../state/record.ts";
import { clearAway } from "../end/end-guest.ts";
import { followGuest } from "../end/follow-guest.ts";
import { type ChangingGuest, giveUp } from "./give-up.ts";

/** Carries out what is left of a change that cannot be taken back any more. The caller holds the guest's lock. */
export async function finishChange(node: Node, guest: GuestRecord, watch: Watch): Promise<void> {
  const { change } = guest;
  if (change !== undefined) await finish(node, { ...guest, change }, watch);
}

/**
 * What stands before QEMU's part, then QEMU, then labels and claims, once the kernel says that the guest has let go, then the
 * record says that the guest has become another, or is gone.
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
 * QEMU may do what it has waited for only now that the record tells what it will have come to: whoever finds the guest
 * ended goes by that. It hardly ever comes to anything else; if it does, that is written down before it is carried out.
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

/** Who comes later finds in the record that QEMU need not be told once more, and waits for no guest that kept something. */
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

/** Whoever comes later need only look: a guest that was asked lets go in its own time. */
async function noteAsked(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  if (asSvirtError(error).kind !== "timeout" || !(await isStillPlugged(node, guest.change))) return;
  writeRecord(node, { ...guest, change: { ...guest.change, isAsked: true } });
}

/** What QEMU has refused at the first word was never begun: nobody need finish it. */
async function dropRefused(node: Node, guest: ChangingGuest, error: unknown): Promise<void> {
  const isRefused = asSvirtError(error).message.includes("unable to execute QEMU command");
  if (!isRefused || !(await isStillPlugged(node, guest.change))) return;
  const { change: _, ...unchanged } = guest;
  writeRecord(node, unchanged);
}

/** Whether the guest has yet to let go of a device that the change takes away. */
export async function isStillPlugged({ host }: Node, { after }: GuestChange): Promise<boolean> {
  for (const step of after) if (step.do === "unplug" && (await isPlugged(host, step))) return true;
  return false;
}
