import { kindOf } from "./kind-of.ts";
import type { Step } from "./step.ts";

/** Describes a step in a line, with the label before and after. */
export function describe(step: Step): string {
  return kindOf(step).describe(step);
}

/** Returns all steps, numbered, a line each. */
export function formatSteps(steps: readonly Step[]): string {
  return steps.map((step, at) => `${String(at + 1).padStart(3)}  ${describe(step)}\n`).join("");
}
