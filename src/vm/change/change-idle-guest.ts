import { asSvirtError, joinErrors, SvirtError } from "../../errors.ts";
import { listUnseen, withLooks } from "../../labelling/inspect-unlocked.ts";
import { guestPaths } from "../../plan/paths.ts";
import { inverse, isMonitorStep, planUndo } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Progress } from "../../run/actor.ts";
import { withinTime } from "../../run/monitor/limit-conversations.ts";
import { thaw } from "../../run/process/freeze.ts";
import { refuseWithoutHeader } from "../../run/steps/block/make-image.ts";
import { isPlugged, UnplugError } from "../../run/steps/device.ts";
import { NO_OBSERVER, runPlan, type StepObserver } from "../../run/steps/run-plan.ts";
import { undo } from "../../run/steps/undo-plan.ts";
import { actorFor } from "../../state/actor-for.ts";
import type { Instance } from "../../state/instance.ts";
import { forgetJob } from "../../state/jobs.ts";
import { withRegistryLock } from "../../state/locks.ts";
import {
  type GuestChange,
  type GuestRecord,
  identityOf,
  isRunning,
  readRecord,
  writeRecord,
} from "../../state/record.ts";
import { refuseChanging } from "../guest/changing-device.ts";
import { findRunning } from "../guest/find-domain.ts";
import { isClaim, planHostDetach, refuseHungDevices, takeDevices } from "../node-device/detach-from-host.ts";
import type { ChangeRequest, DecidedChange } from "./change-guest.ts";
import { finishChange, isRefused } from "./finish-change.ts";
import { type ChangingGuest, releaseResources } from "./release-resources.ts";

/** Time to undo a change after QEMU has failed to answer. */
const MUTE_UNDO_MS = 2000;
/**
 * Time for a guest to release a device after svirt was killed: part of the time that a command has for such
 * work.
 */
const RECOVERY_RELEASE_MS = 1000;

/** Receivers of progress. */
export interface Audience {
  readonly observer: StepObserver;
  readonly onProgress?: Progress;
  /**
   * Called once the steps are done and recorded as such, before the change is finished. The guest's lock is
   * held.
   */
  readonly onDone?: ((guest: GuestRecord) => Promise<void>) | undefined;
}

/** Changes a guest that has no change in progress. The caller holds its lock. */
export async function changeIdleGuest(
  instance: Instance,
  uuid: string,
  { request, ...audience }: Omit<Audience, "onDone"> & { readonly request: ChangeRequest },
): Promise<void> {
  const { guest } = findRunning(instance, uuid);
  await carryOut(instance, await begin(instance, guest, { request, audience }), audience);
}

/**
 * Undoes or finishes a change interrupted by a kill of svirt; it is then no longer in progress. A guest with
 * a device not released yet is no error. The caller holds the guest's lock.
 */
export async function recoverChange(instance: Instance, guest: GuestRecord): Promise<void> {
  const { change } = guest;
  if (change === undefined || !isRunning(instance, guest)) return;
  thaw(instance.host, guest.steps);
  forgetJob(instance, guest.uuid);
  if (change.stage === "doing") return await undoChange(instance, { ...guest, change }, false);
  try {
    await finishChange(instance, guest, { observer: NO_OBSERVER, releaseMs: RECOVERY_RELEASE_MS });
  } catch (error) {
    if (!(error instanceof UnplugError) || readRecord(instance, guest.uuid)?.change !== undefined)
      throw error;
  }
}

/** Recorded change with its first `done` steps carried out. */
interface Begun {
  readonly guest: ChangingGuest;
  readonly done: number;
}

/**
 * Decides the change, records it, and carries out the steps before QEMU's under a single hold of the
 * registry's lock: of two guests choosing a free name at once, the second sees the claim of the first.
 */
export async function begin(
  instance: Instance,
  before: GuestRecord,
  { request, audience }: { readonly request: ChangeRequest; readonly audience: Audience },
): Promise<Begun> {
  const { what } = request;
  const { observer, onDone: _, ...told } = audience;
  await refuseSilentPaths(instance.host, request.paths?.(before) ?? []);
  const own = identityOf(before);
  const headers = await request.headers?.(before);
  let making = await takePassed(instance, before, { request, observer });
  const taken = making?.change.steps ?? [];
  let made: readonly Step[] | undefined;
  try {
    return await withLooks(instance, own, async (looks) => {
      if (made === undefined) {
        const images = request.make?.(before) ?? [];
        refuseWithoutHeader(images, headers);
        made = [...taken, ...images];
        if (images.length > 0) {
          making = writeChange(instance, before, { what, steps: made, after: [], xml: before.xml });
          const actor = actorFor(instance, before);
          await runPlan(headers === undefined ? actor : { ...actor, headers }, images, observer);
        }
      }
      const decided = request.decide(before);
      refuseChanging(instance, decided.steps, before.uuid);
      const unseen = listUnseen(instance, decided.steps, { looks, own });
      if (unseen.length > 0) return { unseen };
      const steps = [...made, ...decided.steps];
      const from = made.length;
      const guest = writeChange(instance, before, { ...decided, what, steps });
      making = guest;
      const lead = listLead(decided.steps);
      await runPlan({ ...actorFor(instance, guest), ...told }, lead, (moment, step, at) =>
        observer(moment, step, from + at),
      );
      return { result: { guest, done: from + lead.length } };
    });
  } catch (error) {
    if (making !== undefined) await takeBackAfter(instance, making, error);
    throw error;
  }
}

/** Detaches the guest's managed devices from their drivers, if there are any. Returns the record of it. */
async function takePassed(
  instance: Instance,
  before: GuestRecord,
  { observer, request }: { readonly request: ChangeRequest; readonly observer: StepObserver },
): Promise<ChangingGuest | undefined> {
  const domain = request.passed?.(before);
  if (domain === undefined) return undefined;
  await refuseHungDevices(instance, domain);
  let making: ChangingGuest | undefined;
  try {
    await withRegistryLock(instance, async () => {
      const { steps } = planHostDetach(instance, domain);
      if (steps.length === 0) return;
      making = writeChange(instance, before, { what: request.what, steps, after: [], xml: before.xml });
      await runPlan(actorFor(instance, before), steps.filter(isClaim), observer);
    });
    await takeDevices(instance, before, { steps: making?.change.steps ?? [], observer });
    return making;
  } catch (error) {
    if (making !== undefined) await takeBackAfter(instance, making, error);
    throw error;
  }
}

function writeChange(
  instance: Instance,
  before: GuestRecord,
  decided: DecidedChange & { readonly what: string },
): ChangingGuest {
  const { actions, after, behind, ends, isForDefinition, jobs, otherwise, steps, what, xml } = decided;
  const change: GuestChange = {
    what,
    stage: steps.length === 0 ? "finishing" : "doing",
    steps: [...steps],
    after: [...after],
    xml,
    ...(jobs === undefined ? {} : { jobs: [...jobs] }),
    ...(isForDefinition === undefined ? {} : { isForDefinition }),
    ...(otherwise === undefined ? {} : { otherwise }),
    ...(behind === undefined ? {} : { behind: [...behind] }),
    ...(actions === undefined ? {} : { actions }),
    ...(ends === undefined ? {} : { ends }),
  };
  const changing = { ...before, change };
  writeRecord(instance, changing);
  return changing;
}

export async function carryOut(instance: Instance, begun: Begun, audience: Audience): Promise<void> {
  const { guest } = begun;
  const { observer, onDone } = audience;
  try {
    await runSteps(instance, begun, audience);
  } catch (error) {
    await takeBackAfter(instance, guest, error);
    throw error;
  }
  const { after, stage, steps } = guest.change;
  const finishing: ChangingGuest = { ...guest, change: { ...guest.change, stage: "finishing" } };
  // Recorded before others are told: a change that was told of is never undone.
  if (stage === "doing" && (after.length > 0 || onDone !== undefined)) writeRecord(instance, finishing);
  await onDone?.(finishing);
  await finishChange(instance, finishing, {
    observer: (moment, step, at) => observer(moment, step, steps.length + at),
  });
}

/** Returns the steps before QEMU's: claims and labels, under the registry's lock. */
function listLead(steps: readonly Step[]): readonly Step[] {
  const first = steps.findIndex(isMonitorStep);
  return first === -1 ? steps : steps.slice(0, first);
}

/** Carries out QEMU's steps, without the registry's lock: QEMU may be slow. */
async function runSteps(
  instance: Instance,
  { done, guest }: Begun,
  { observer, onDone: _, ...told }: Audience,
): Promise<void> {
  await runPlan(
    { ...actorFor(instance, guest), ...told },
    guest.change.steps.slice(done),
    (moment, step, at) => observer(moment, step, done + at),
  );
}

/**
 * Joins an error while undoing to the first error. Neither hides the other, nor the guest's hold on a file.
 */
async function takeBackAfter(instance: Instance, guest: ChangingGuest, error: unknown): Promise<void> {
  const { steps } = guest.change;
  // QEMU has refused its only command, and so may refuse the inverse. Nothing has changed.
  if (isRefused(error) && steps.length === 1 && steps[0]?.do === "change-setting")
    return writeRecord(instance, withoutChange(guest));
  // Does not wait as long again for a QEMU that has not answered: a later call undoes the rest.
  const isMute = asSvirtError(error).kind === "timeout";
  const host = isMute ? withinTime(instance.host, MUTE_UNDO_MS) : instance.host;
  try {
    await undoChange({ ...instance, host }, guest, true);
  } catch (later) {
    const joined = joinErrors(error, [later]);
    const { kind, remedy } = asSvirtError(later);
    throw kind === "partly" ? new SvirtError(joined.message, { kind, remedy, cause: error }) : joined;
  }
}

async function undoChange(instance: Instance, guest: ChangingGuest, isWaiting: boolean): Promise<void> {
  const actor = actorFor(instance, guest);
  const { behind = [], steps } = guest.change;
  const left = behind.map(({ device }) => device);
  const back = planUndo(steps.filter((step) => !left.includes(pluggedBy(step) ?? "")));
  const told = await undo(actor, back.filter(isMonitorStep), NO_OBSERVER);
  // While QEMU may still use a file, its label must not change, and no other guest may get it.
  if (told.errors.length > 0) throw joinErrors(told.errors[0], told.errors.slice(1));
  const unchanged = left.length === 0 ? withoutChange(guest) : await addBehind(instance, guest);
  await releaseResources(instance, guest, {
    steps: back.filter((step) => !isMonitorStep(step)),
    observer: NO_OBSERVER,
    isWaiting,
  });
  writeRecord(instance, unchanged);
}

function withoutChange({ change: _, ...unchanged }: ChangingGuest): GuestRecord {
  return unchanged;
}

/**
 * Returns the record of a guest with the controllers left behind by an undone change, as libvirt does. A
 * guest may release a requested controller much later, with its disks at the time.
 */
async function addBehind(instance: Instance, guest: ChangingGuest): Promise<GuestRecord> {
  const { behind = [], steps } = guest.change;
  const { monitor } = guestPaths(instance.paths, guest.uuid);
  const kept: (typeof behind)[number][] = [];
  for (const one of behind)
    if (await isPlugged(instance.host, { monitor, device: one.device })) kept.push(one);
  const devices = kept.map(({ device }) => device);
  const plugged = steps.filter((step) => devices.includes(pluggedBy(step) ?? ""));
  const before = withoutChange(guest);
  return { ...before, xml: kept.at(-1)?.xml ?? before.xml, steps: [...before.steps, ...plugged] };
}

/** Returns QEMU's name of a step's plugged device. */
function pluggedBy(step: Step): string | undefined {
  const back = step.do === "plug" ? inverse(step) : undefined;
  return back?.do === "unplug" ? back.device : undefined;
}
