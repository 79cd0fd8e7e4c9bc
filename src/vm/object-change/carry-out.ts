import { errorsOf, errorsOfWork, joinErrors } from "../../errors.ts";
import {
  needsRecord,
  type ObjectChange,
  type RecordedChange,
  type Settlement,
} from "../../plan/change/object-change.ts";
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
      await runDecided(instance, change, { planned, observer });
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
  change: { plan(instance: Instance): Plan | Promise<Plan> },
): Promise<ObjectChange | undefined> {
  return (await change.plan(instance)).change;
}

type Plan = Pick<Planned<unknown>, "change">;

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

async function runDecided(
  instance: Instance,
  change: Change<unknown>,
  { observer, planned }: { readonly planned: Planned<unknown>; readonly observer: StepObserver },
): Promise<void> {
  const { change: decided, headers } = planned;
  if (decided === undefined) return;
  // An earlier change that could not be settled: its error is thrown again.
  await settleChange(instance, decided.object);
  if (decided.steps.length === 0) return;
  const actor = { ...actorFor(instance, decided), ...besideOf(change, headers) };
  const run = async (): Promise<void> => {
    await runPlan(actor, decided.steps, (moment, step, at) => {
      if (moment === "before") change.check?.(instance, step);
      observer(moment, step, at);
    });
    change.check?.(instance, undefined);
  };
  if (needsRecord(decided)) await runRecorded(instance, decided, run);
  else await run();
}

function besideOf({ secret }: Pick<Change<unknown>, "secret">, headers: Planned<unknown>["headers"]): Beside {
  return { ...(headers === undefined ? {} : { headers }), ...(secret === undefined ? {} : { secret }) };
}

async function runRecorded(
  instance: Instance,
  change: RecordedChange,
  run: () => Promise<void>,
): Promise<void> {
  record(instance, change);
  try {
    await run();
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
function record(instance: Instance, change: RecordedChange): void {
  try {
    writeChange(instance, change);
  } catch (error) {
    throw joinErrors(
      error,
      errorsOf(() => removeChange(instance, change.object)),
    );
  }
}
