import type { Step } from "../../plan/steps/step.ts";
import type { Actor } from "../actor.ts";
import { runStep } from "./run-step.ts";

/** Callback before and after each step, where a crash test kills svirt. */
export type StepObserver = (moment: "before" | "after", step: Step, at: number) => void;

/** Observer without effects. */
export const NO_OBSERVER: StepObserver = () => undefined;

/** Carries out the steps in order and stops at the first failure. The caller undoes them. */
export async function runPlan(actor: Actor, steps: readonly Step[], observer: StepObserver): Promise<void> {
  for (const [at, step] of steps.entries()) {
    observer("before", step, at);
    await runStep(actor, step);
    observer("after", step, at);
  }
}
