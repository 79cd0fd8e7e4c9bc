import type { Step } from "../../plan/steps/step.ts";
import type { Actor } from "../actor.ts";
import { runStep } from "./run-step.ts";

/** Callback before and after each step, where a crash test kills svirt. */
export type StepObserver = (moment: "before" | "after", step: Step, at: number) => void;

/** Observer that does nothing. */
export const NO_OBSERVER: StepObserver = () => undefined;

/** Carries out the steps in order and stops at the first failure. The caller undoes them. */
export async function runPlan(actor: Actor, steps: readonly Step[], observer: StepObserver): Promise<void> {
  for (const [at, step] of steps.entries()) {
    observer("before", step, at);
    await runStep(actor, step);
    observer("after", step, at);
  }
}

/**
 * Carries out inverse steps, even after one has failed. Returns the errors and the failed steps, both empty on success.
 */
export async function undo(actor: Actor, steps: readonly Step[], observer: StepObserver): Promise<Undone> {
  const errors: unknown[] = [];
  const left: Step[] = [];
  for (const [at, step] of steps.entries()) {
    observer("before", step, at);
    try {
      await runStep(actor, step);
    } catch (error) {
      errors.push(error);
      left.push(step);
    }
    observer("after", step, at);
  }
  return { errors, left };
}

/** Result of undoing. */
export interface Undone {
  readonly errors: readonly unknown[];
  readonly left: readonly Step[];
}
