import { errorsOf, errorsOfWork, joinErrors } from "../../errors.ts";
import { isSingleCall, type ObjectChange, type Settlement } from "../../plan/change/object-change.ts";
import type { Actor } from "../../run/actor.ts";
import { NO_OBSERVER, runPlan, type StepObserver } from "../../run/steps/run-plan.ts";
import { removeChange, writeChange } from "../../state/changes/changes.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { type Change, HOLDS, type Planned } from "./change.ts";
import { actorFor, settleChange, settleHeld, settleRecorded } from "./settle.ts";

/** Bytes for steps that no record has. */
type Beside = Pick<Actor, "headers" | "secret">;

/**
 * Carries out a change: settles what an interrupted call has left of the object, decides the steps, records
 * them, and runs them. Killed at any instant, the next call finishes or undoes it. If a step fails, does so
 * itself; a change that it can finish has not failed.
 */
export async function carryOut<Result>(
  instance: Instance,
  change: Change<Result>,
  observer: StepObserver = NO_OBSERVER,
): Promise<Result> {
  const { key, kind, secret } = change;
  try {
    return await holdFor(instance, change, async () => {
      if (key === undefined) await settleHeld(instance, kind);
      else await settleChange(instance, { kind, key });
      const planned = await decide(instance, change);
      const { change: decided, headers } = planned;
      const beside = {
        ...(headers === undefined ? {} : { headers }),
        ...(secret === undefined ? {} : { secret }),
      };
      if (decided !== undefined) await runRecorded(instance, decided, { beside, observer });
      change.refresh?.(instance);
      return planned.result;
    });
  } finally {
    secret?.fill(0);
  }
}

/**
 * Returns the steps of a change, and changes nothing. Throws the errors of the plan, as carryOut() does
 * before the first step.
 */
export async function planOnly(
  instance: Instance,
  change: Change<unknown>,
): Promise<ObjectChange | undefined> {
  return (await change.plan(instance)).change;
}

async function decide<Result>(instance: Instance, change: Change<Result>): Promise<Planned<Result>> {
  if (change.plansUnder === undefined) return await change.plan(instance);
  return await withRegistryLock(instance, async () => await change.plan(instance));
}

async function holdFor<Result>(
  instance: Instance,
  { hold, key = "", kind }: Change<Result>,
  work: () => Promise<Result>,
): Promise<Result> {
  if (hold !== undefined) return await hold(instance, work);
  return await HOLDS[kind].hold(instance, key, work);
}

async function runRecorded(
  instance: Instance,
  change: ObjectChange,
  { beside, observer }: { readonly beside: Beside; readonly observer: StepObserver },
): Promise<void> {
  // An earlier change that could not be settled: its error is thrown again.
  await settleChange(instance, change.object);
  if (change.steps.length === 0) return;
  const actor = { ...actorFor(instance, change), ...beside };
  if (isSingleCall(change)) {
    await runPlan(actor, change.steps, observer);
    return;
  }
  record(instance, change);
  try {
    await runPlan(actor, change.steps, observer);
  } catch (error) {
    const settled: Settlement["direction"][] = [];
    const others = await errorsOfWork(async () => {
      settled.push(await settleRecorded(instance, change));
    });
    if (settled.includes("finish")) return;
    // If it cannot be settled either, the record stays, and the next call tries again.
    throw joinErrors(error, others);
  }
  removeChange(instance, change.object);
}

/** Records a change. If that fails, no step runs, and no later call takes the change for begun. */
function record(instance: Instance, change: ObjectChange): void {
  try {
    writeChange(instance, change);
  } catch (error) {
    throw joinErrors(
      error,
      errorsOf(() => removeChange(instance, change.object)),
    );
  }
}
