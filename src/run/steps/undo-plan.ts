import type { Step } from "../../plan/steps/step.ts";
import type { Actor } from "../actor.ts";
import type { StepObserver } from "./run-plan.ts";
import { runStep } from "./run-step.ts";

// Rule: Undoing goes on after an error, and joins the errors.

/**
 * Carries out inverse steps, even after a failure. Returns the errors and the failed steps, both empty on
 * success.
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
