import type { Step } from "../steps/step.ts";

/** Place in a plan where svirt waits for QEMU, or where the steps end that can be decided yet. */
export interface PlanPause {
  /** Index of the step that follows, counted from 0; the number of all steps at their end. */
  readonly before: number;
  /** Line for a person about the work there. */
  readonly text: string;
}

/** Steps that QEMU's work divides into stages. */
export interface StagedPlan {
  readonly steps: readonly Step[];
  readonly pauses: readonly PlanPause[];
}

/** Joins stages in their order. Between two of them is the pause, if a text is given for the later stage. */
export function joinStages(
  stages: readonly { readonly steps: readonly Step[]; readonly after?: string }[],
): StagedPlan {
  const steps: Step[] = [];
  const pauses: PlanPause[] = [];
  for (const stage of stages) {
    if (stage.after !== undefined) pauses.push({ before: steps.length, text: stage.after });
    steps.push(...stage.steps);
  }
  return { steps, pauses };
}
