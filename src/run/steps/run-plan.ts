import type { Step } from "../../plan/steps/step.ts";
import type { Actor } from "../actor.ts";
import { runStep } from "./run-step.ts";

/** Told before and after each step: where a crash drill strikes. */
export type Watch = (moment: "before" | "after", step: Step, at: number) => void;

/** Nobody watches. */
export const UNWATCHED: Watch = () => undefined;

/** Carries the steps out, in order. The first that fails ends it: undoing is the caller's. */
export async function runPlan(actor: Actor, steps: readonly Step[], watch: Watch): Promise<void> {
  for (const [at, step] of steps.entries()) {
    watch("before", step, at);
    await runStep(actor, step);
    watch("after", step, at);
  }
}

/**
 * Carries out steps that take others back: one that fails does not stop those after it. Gives what went wrong and what
 * is still to be done, both empty when all is as it was.
 */
export async function undo(actor: Actor, steps: readonly Step[], watch: Watch): Promise<Undone> {
  const errors: unknown[] = [];
  const left: Step[] = [];
  for (const [at, step] of steps.entries()) {
    watch("before", step, at);
    try {
      await runStep(actor, step);
    } catch (error) {
      errors.push(error);
      left.push(step);
    }
    watch("after", step, at);
  }
  return { errors, left };
}

/** What undoing came to. */
export interface Undone {
  readonly errors: readonly unknown[];
  readonly left: readonly Step[];
}
