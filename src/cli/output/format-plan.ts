import { formatChange, type ObjectChange } from "../../plan/change/object-change.ts";
import { formatSteps } from "../../plan/steps/describe.ts";
import type { Step } from "../../plan/steps/step.ts";
import { type Call, printJson } from "../command.ts";

/** Formats a plan for a person, with the point from which an interruption is finished. */
export function formatPlan(steps: readonly Step[], commit?: ObjectChange["commit"]): string {
  if (steps.length === 0) return "No step is needed\n\n";
  return commit === undefined ? formatSteps(steps) : formatChange({ steps, commit });
}

/** Prints the steps of a dry run, as text or in JSON. */
export function printSteps(call: Call, steps: readonly Step[]): void {
  if (call.options.has("json")) printJson(call, steps);
  else call.output.print(formatPlan(steps));
}
