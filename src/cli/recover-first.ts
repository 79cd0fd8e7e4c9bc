import type { RunningGuest } from "../state/running-guests.ts";
import { recoverBefore } from "../vm/recover/recover-before.ts";
import type { Call, CommandSpec } from "./command.ts";
import { oneLine } from "./output/one-line.ts";
import { warnOf } from "./output/warn-of.ts";

/** Call of a command before its recovery. */
type NewCall = Omit<Call, "running">;

/**
 * Finishes or undoes interrupted work before a command runs, as its specification says, and warns of
 * failures. Returns the running guests; none for a command without recovery.
 */
export async function recoverFirst(spec: CommandSpec, call: NewCall): Promise<readonly RunningGuest[]> {
  const { recovery = "first" } = spec;
  if (recovery === "none") return [];
  const isForRootAlone = recovery === "root";
  const keys = keysOf(recovery, call);
  const { errors, kept, running } = await recoverBefore(call.instance, keys, { isForRootAlone });
  warnOf(call, "warning", errors);
  for (const notice of kept) call.output.warn(`warning: ${oneLine(notice)}\n`);
  return running;
}

function keysOf(recovery: CommandSpec["recovery"], { operands, rest }: NewCall): readonly string[] | "all" {
  if (recovery === "others") return [];
  if (recovery === "all") return rest.length === 0 ? "all" : rest;
  return [operands.get("domain") ?? ""];
}
