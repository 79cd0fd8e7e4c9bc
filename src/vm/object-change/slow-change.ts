import { errorsOfWork, listErrors, type SvirtError, throwErrors } from "../../errors.ts";
import type { ObjectChange } from "../../plan/change/object-change.ts";
import type { ObjectKind } from "../../plan/change/object-kinds.ts";
import { inverse } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Actor } from "../../run/actor.ts";
import { NO_OBSERVER, runPlan } from "../../run/steps/run-plan.ts";
import { undo } from "../../run/steps/undo-plan.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import type { Unfinished } from "../../state/unfinished-schema.ts";
import { carryOut } from "./carry-out.ts";
import type { Change } from "./change.ts";
import { type WorkNote, whileNoted } from "./noted-work.ts";
import { refuseSilentSteps, settleHeld } from "./settle.ts";

/** Inverses on svirt's own files and on folders: they run under the registry's lock. */
const QUICK: readonly Step["do"][] = ["replace-text", "drop-pool-folder", "restore-pool-permissions"];

/** Carries out some steps of a change, with what no step has: opened file systems, passwords, and data. */
export type RunPart = (
  steps: readonly Step[],
  given?: Pick<Actor, "data" | "mounts" | "onSession" | "passwords">,
) => Promise<void>;

/**
 * Change whose steps wait for programs or servers, with the commit point "repeat": no other command may wait
 * for them, so it has no record that another command would settle.
 */
export interface SlowChange<Result> {
  readonly kind: ObjectKind;
  /** Does the work while no other call uses the source; absent: others may. No other lock is held. */
  hold?<Value>(instance: Instance, work: () => Promise<Value>): Promise<Value>;
  /** Decides all steps, and changes nothing. The caller holds no lock. */
  plan(instance: Instance): Promise<{ readonly change: ObjectChange | undefined }>;
  /**
   * Decides the steps again part by part, by the functions of the plan, and runs them: on svirt's own files
   * under the registry's lock, all others without it.
   */
  run(instance: Instance, run: RunPart): Promise<Result>;
  /**
   * Note of the work, and whether the steps change the source; absent: a kill leaves nothing. The look is
   * under the hold.
   */
  readonly noted?: { work(instance: Instance): Unfinished; isNeeded(instance: Instance): boolean };
  /** Reports whether a failed change keeps the result of a step that this one would undo. */
  keeps?(instance: Instance, inverse: Step): Promise<boolean>;
}

/**
 * Carries out a slow change. If a step fails, the steps begun are undone, last first. A note of it is begun
 * before the first step: its own, or the note of a longer work of the caller. The caller holds no lock.
 */
export async function carryOutSlow<Result>(
  instance: Instance,
  change: Omit<SlowChange<Result>, "plan">,
  note?: WorkNote,
): Promise<Result> {
  await withRegistryLock(instance, async () => await settleHeld(instance, change.kind));
  const { hold = unheld, noted } = change;
  return await hold(instance, async () => {
    if (noted === undefined) return await runOrUndo(instance, change, note);
    return await whileNoted(
      instance,
      noted.work(instance),
      async (own) => await runOrUndo(instance, change, noted.isNeeded(instance) ? own : note),
    );
  });
}

/** Carries out a change, slow or not. */
export async function carryOutEither<Result>(
  instance: Instance,
  change: Change<Result> | SlowChange<Result>,
): Promise<Result> {
  return "run" in change ? await carryOutSlow(instance, change) : await carryOut(instance, change);
}

async function unheld<Value>(_: Instance, work: () => Promise<Value>): Promise<Value> {
  return await work();
}

/**
 * Runs the steps of a change without a record. If a step fails, it and all steps before it are undone, last
 * first. The caller holds the registry's lock only if no step has an inverse.
 */
export async function runOrUndo<Result>(
  instance: Instance,
  change: Pick<SlowChange<Result>, "run" | "keeps">,
  note?: WorkNote,
): Promise<Result> {
  // The steps concern no guest.
  const actor = { host: instance.host, registry: registryOf(instance), owner: "", uid: 0 };
  const begun: Step[] = [];
  try {
    return await change.run(instance, async (steps, given = {}) => {
      if (steps.length > 0) note?.begin();
      await runPlan({ ...actor, ...given }, steps, (moment, step) => {
        if (moment === "before") begun.push(step);
      });
    });
  } catch (error) {
    const others = await undoBegun(instance, change, { actor, begun });
    if (others.length > 0) note?.keep();
    throwErrors([...listErrors(error), ...others]);
    throw error;
  }
}

/** Runs the steps as runOrUndo() does. */
export async function runSteps(instance: Instance, ...call: Parameters<RunPart>): Promise<void> {
  await runOrUndo(instance, { run: async (_, run) => await run(...call) });
}

async function undoBegun(
  instance: Instance,
  { keeps }: Pick<SlowChange<unknown>, "keeps">,
  { actor, begun }: { readonly actor: Actor; readonly begun: readonly Step[] },
): Promise<readonly SvirtError[]> {
  const errors: SvirtError[] = [];
  for (const step of begun.toReversed().flatMap((one) => inverse(one) ?? [])) {
    if ((await keeps?.(instance, step)) === true) continue;
    const back = async (): Promise<void> => {
      errors.push(...(await undo(actor, [step], NO_OBSERVER)).errors.flatMap(listErrors));
    };
    const backUnderLock = async (): Promise<void> => {
      await refuseSilentSteps(instance, [step]);
      await withRegistryLock(instance, back);
    };
    errors.push(...(await errorsOfWork(QUICK.includes(step.do) ? backUnderLock : back)));
  }
  return errors;
}
