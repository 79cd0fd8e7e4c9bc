import { joinErrors } from "../../errors.ts";
import type { ReleasedResource } from "../../plan/facts/released-resource.ts";
import { countLooks } from "../../plan/record/count-looks.ts";
import { listEndedPeers, listReleased } from "../../plan/record/released-resources.ts";
import { planUndo } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import { whileFrozen } from "../../run/process/freeze.ts";
import {
  type InspectedGuest,
  listStillHeld,
  notReleased,
  type StillHeld,
} from "../../run/process/still-held.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import { actorFor } from "../../state/actor-for.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestChange, type GuestRecord, identityOf, isRunning } from "../../state/record.ts";
import { undoShared } from "../end/end-guest.ts";

// Rule: A running guest releases a label only when none of its processes has the file.

/** Longest time for an honest QEMU to close a file. A thread of it unmaps memory a little later. */
const RELEASE_TIMEOUT_MS = 3000;
const POLL_MS = 20;

/** Guest with a change in progress. */
export type ChangingGuest = GuestRecord & { readonly change: GuestChange };

/** Steps that release labels and claims, and whether to wait for the guest to close its files. */
interface Release {
  readonly steps: readonly Step[];
  readonly observer: StepObserver;
  readonly isWaiting: boolean;
}

/**
 * Releases labels and claims while the guest runs, once the kernel shows that none of its processes has the
 * files. The caller holds the guest's lock, so that svirt passes no file to it in the meantime. Throws
 * "partly" when a process still has one. Then no step was carried out, and the steps stay in the record for
 * the next call. A tap that a process keeps is off its bridge and down from the first look on. Throws the
 * errors of the steps, joined, after the last one.
 */
export async function releaseResources(
  instance: Instance,
  guest: ChangingGuest,
  { isWaiting, steps, observer }: Release,
): Promise<void> {
  const things = listThings(guest);
  const until = instance.host.nowMs() + (isWaiting ? RELEASE_TIMEOUT_MS : 0);
  for (;;) {
    const held = await lookTwice(instance, guest, things);
    if (held.length === 0) break;
    disconnectTaps(instance, steps);
    if (instance.host.nowMs() >= until) throw notReleased(guest.name, held);
    await instance.host.sleep(POLL_MS);
  }
  const errors = await undoShared(instance, { actor: actorFor(instance, guest), steps, observer });
  if (errors.length > 0) throw joinErrors(errors[0], errors.slice(1));
}

function disconnectTaps({ host }: Instance, steps: readonly Step[]): void {
  for (const step of steps) if (step.do === "remove-tap") host.disconnectTap(step);
}

/** Lists holdings of the guest that its change in progress has yet to release. */
export function listHeldInChange(instance: Instance, guest: GuestRecord): StillHeld[] {
  const { change } = guest;
  if (change === undefined || !isRunning(instance, guest)) return [];
  return listStillHeld(instance.host, toInspect(guest), listThings({ ...guest, change }));
}

function toInspect(guest: GuestRecord): InspectedGuest {
  return { ...identityOf(guest), most: countLooks(guest.steps) };
}

/**
 * Freezes a guest only to confirm its release of everything. So an obedient guest is frozen once, briefly.
 */
async function lookTwice(
  { host }: Instance,
  guest: GuestRecord,
  things: readonly ReleasedResource[],
): Promise<StillHeld[]> {
  if (things.length === 0) return [];
  const look = (): StillHeld[] => listStillHeld(host, toInspect(guest), things);
  const held = look();
  return held.length > 0 ? held : await whileFrozen(host, guest.steps, look);
}

/** Lists all files taken from the guest by the change, or by undoing it. */
function listThings({ change, steps }: ChangingGuest): ReleasedResource[] {
  const ending = change.stage === "finishing" ? change.after : planUndo(change.steps);
  const done = [...steps, ...change.steps];
  return [...listReleased(ending, done), ...listEndedPeers(done, ending)];
}
