import { formatChange } from "../../plan/change/object-change.ts";
import { type Call, type CommandPlan, printJson } from "../command.ts";

/** Formats a plan for a person, with its pauses and the point from which an interruption is finished. */
export function formatPlan({ commit, pauses = [], steps }: CommandPlan): string {
  if (steps.length === 0) return "No step is needed\n\n";
  return formatChange({ steps, commit, pauses });
}

/** Prints the steps of a dry run, as text with their pauses, or in JSON. */
export function printDryRun(call: Call, plan: CommandPlan): void {
  if (call.options.has("json")) printJson(call, plan.steps);
  else call.output.print(formatPlan(plan));
}
