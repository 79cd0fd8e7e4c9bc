import { joinErrors, unlessWorkRefused } from "../../errors.ts";
import { isEnd, isLast, isSlow, planStop } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Actor } from "../../run/actor.ts";
import { thaw } from "../../run/process/freeze.ts";
import { NO_OBSERVER, runPlan, type StepObserver } from "../../run/steps/run-plan.ts";
import { undo } from "../../run/steps/undo-plan.ts";
import { actorFor } from "../../state/actor-for.ts";
import { readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { lockReports, withRegistryLock } from "../../state/locks.ts";
import { writePendingRestart } from "../../state/pending-restart.ts";
import { type GuestRecord, removeRecord, writeEnding } from "../../state/record.ts";
import { removeReports } from "../../state/reports/report-files.ts";
import { allSteps, type ShutoffReason, writeReason } from "../../state/shutoff-reason.ts";
import { hasSnapshots, removeSnapshots } from "../../state/snapshots/snapshots.ts";
import { removeParsed } from "../guest/parsed-guest.ts";

// Rule: The end of a guest runs the inverses of its start.

/**
 * Ends a running guest, and undoes its start. The caller holds the guest's lock. If svirt is killed before it
 * has finished, the next caller finishes the work. Failed inverse steps stay in the record for a later
 * attempt. Continues after errors, then throws them joined.
 */
export async function endGuest(
  instance: Instance,
  guest: GuestRecord,
  how: {
    readonly reason: ShutoffReason;
    readonly restart?: boolean;
    readonly observer?: StepObserver;
    /** Receives a notice for each file that keeps the guest's label, with the reason. */
    readonly onKept?: (notice: string) => void;
    /** Time of the host's clock until which to wait for killed processes. */
    readonly endingUntilMs?: number | undefined;
  },
): Promise<void> {
  writeEnding(instance, { ...guest, state: "stopping", reason: how.reason });
  const observer = how.observer ?? NO_OBSERVER;
  const { endingUntilMs, onKept } = how;
  const actor = {
    ...actorFor(instance, guest),
    ...(onKept === undefined ? {} : { onKept }),
    ...(endingUntilMs === undefined ? {} : { endingUntilMs }),
  };
  thaw(instance.host, guest.steps);
  const { kept, steps } = stepsOfEnd(guest);
  await runPlan(actor, kept, observer);
  const errors: unknown[] = [];
  const endSteps = steps.filter(isEnd);
  const ends = await undo(actor, endSteps, (moment, step, at) => observer(moment, step, kept.length + at));
  errors.push(...ends.errors);
  // While QEMU may still run, no other guest may get its label or its files.
  if (errors.length === 0) {
    const rest = steps.filter((step) => !isEnd(step));
    // Numbers continue, as in svirt plan --stop.
    const numbered: StepObserver = (moment, step, at) =>
      observer(moment, step, kept.length + endSteps.length + at);
    errors.push(...(await undoShared(instance, { actor, steps: rest, observer: numbered })));
  }
  if (errors.length > 0) {
    // The second write wakes the watchers of the record: the process is gone now.
    if (ends.errors.length === 0) writeEnding(instance, { ...guest, state: "stopping", reason: how.reason });
    throw joinErrors(errors[0], errors.slice(1));
  }
  if (guest.jobs !== undefined) {
    const { keepImages } = await import("./keep-images.ts");
    await withRegistryLock(instance, async () => keepImages(instance, guest));
  }
  if (how.restart !== true) forgetSnapshots(instance, guest);
  writeReason(instance, guest.uuid, how.reason);
  // Written before the record is removed: after a crash the next call finds either of them.
  if (how.restart === true) writePendingRestart(instance, guest);
  await removeFacts(instance, guest.uuid);
}

/** Returns the steps of a guest's end, as its record is, in their order. */
export function planEnd(guest: Pick<GuestRecord, "steps" | "change">): readonly Step[] {
  const { kept, steps } = stepsOfEnd(guest);
  return [...kept, ...steps];
}

/** Completely written files get their final names before the other steps are undone. */
function stepsOfEnd(guest: Pick<GuestRecord, "steps" | "change">): {
  readonly kept: readonly Step[];
  readonly steps: readonly Step[];
} {
  const { change } = guest;
  const kept = change?.stage === "finishing" ? change.after.filter((step) => step.do === "keep-file") : [];
  return { kept, steps: planStop(allSteps(guest)) };
}

/**
 * Removes a guest's reports and then its record. Meanwhile no other svirt writes a report: its file would
 * stay after a kill in between. Another svirt with the lock of reports for a second does not delay the end
 * further.
 */
async function removeFacts(instance: Instance, uuid: string): Promise<void> {
  const unlock = await unlessWorkRefused(async () => await lockReports(instance, uuid));
  try {
    removeReports(instance, uuid);
    removeParsed(instance, uuid);
    removeRecord(instance, uuid);
    // Without the lock, a client's svirt may have written some while there was a record.
    removeReports(instance, uuid);
  } finally {
    unlock?.();
  }
}

/**
 * Removes the data of snapshots with a domain that has no definition. qemuDomainRemoveInactive() of libvirt
 */
function forgetSnapshots(instance: Instance, { name, uuid }: GuestRecord): void {
  if (hasSnapshots(instance, uuid) && readDefinition(instance, name)?.uuid !== uuid)
    removeSnapshots(instance, uuid);
}

/**
 * Carries out inverse steps. Steps with a duration set by the guest's folders or by Open vSwitch come first,
 * without the registry's lock. The rest share a single hold of it, except followers of a failed step. The
 * caller holds the guest's lock. Returns the errors.
 */
export async function undoShared(
  instance: Instance,
  {
    actor,
    steps,
    observer,
  }: { readonly actor: Actor; readonly steps: readonly Step[]; readonly observer: StepObserver },
): Promise<readonly unknown[]> {
  const own = steps.filter(isSlow);
  const first = await undo(actor, own, observer);
  const shared = steps.filter(
    (step) => !isSlow(step) && !isLast(step) && !first.left.some((failed) => keepsName(failed, step)),
  );
  const after =
    (done: number): StepObserver =>
    (moment, step, at) =>
      observer(moment, step, done + at);
  const rest = await withRegistryLock(instance, async () => await undo(actor, shared, after(own.length)));
  const devices = await returnDevices(instance, {
    actor,
    steps: steps.filter(isLast),
    observer: after(own.length + shared.length),
  });
  return [...first.errors, ...rest.errors, ...devices];
}

/**
 * Returns PCI devices to the host, and then releases their claims, but not the claim of a device still
 * detached. Returns the errors.
 */
async function returnDevices(
  instance: Instance,
  { actor, steps, observer }: Parameters<typeof undoShared>[1],
): Promise<readonly unknown[]> {
  if (steps.length === 0) return [];
  const given = steps.filter((step) => step.do === "rebind-driver");
  const { errors, left } = await undo(actor, given, observer);
  const free = steps.filter(
    (step) =>
      step.do === "release" &&
      !left.some((failed) => failed.do === "rebind-driver" && failed.device === step.claim.key),
  );
  const numbered: StepObserver = (moment, step, at) => observer(moment, step, given.length + at);
  const released = await withRegistryLock(instance, async () => await undo(actor, free, numbered));
  return [...errors, ...released.errors];
}

/**
 * Whether a failed step keeps a tap's name claimed: a port of Open vSwitch that stays would connect the next
 * tap of its name.
 */
function keepsName(failed: Step, step: Step): boolean {
  return (
    failed.do === "remove-tap" &&
    step.do === "release" &&
    step.claim.kind === "tap" &&
    step.claim.key === failed.name
  );
}
