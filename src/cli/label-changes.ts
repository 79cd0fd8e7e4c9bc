import type { LabelChange } from "../labelling/set-label.ts";
import { findVolume } from "../vm/volume/find-volume.ts";
import { type Call, type Option, printJson } from "./command.ts";
import { oneLine } from "./output/one-line.ts";

/** Option for printing a change without applying it. */
export const DRY_RUN_OPTION: Option = {
  name: "dry-run",
  short: "n",
  summary: "only print the changes",
};

/** Returns the paths of operands: with --pool the paths of volumes. Throws "not-found". */
export async function pathsOf(
  { instance, options }: Call,
  operands: readonly string[],
): Promise<readonly string[]> {
  const pool = options.get("pool");
  if (pool === undefined) return operands;
  return await Promise.all(operands.map(async (key) => (await findVolume(instance, key, pool)).path));
}

/** Prints applied or planned changes, in lines that begin with the act, or in JSON. */
export function printChanges(call: Call, changes: readonly LabelChange[], act = ""): void {
  const isDryRun = call.options.has(DRY_RUN_OPTION.name);
  if (call.options.has("json")) printJson(call, changes);
  else {
    const lines = changes.map((change) => `${oneLine(act + formatChange(change, isDryRun))}\n`);
    call.output.print(lines.join(""));
  }
}

function formatChange({ from, path, to }: LabelChange, isDryRun: boolean): string {
  if (to === undefined) return `${path} keeps ${from ?? "no label"}: the policy has no label for this path`;
  if (from === to) return `${path} already has ${to}`;
  return `${path} ${isDryRun ? "would be relabelled" : "relabelled"} from ${from ?? "no label"} to ${to}`;
}
