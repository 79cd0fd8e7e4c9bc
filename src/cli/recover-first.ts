import { recordsFolder } from "../plan/paths.ts";
import { hasPendingRestart } from "../state/pending-restart.ts";
import { type RunningGuest, readSettledGuests } from "../state/running-guests.ts";
import type { RecoverOptions } from "../vm/recover/recover.ts";
import type { Call, CommandSpec } from "./command.ts";
import { oneLine } from "./output/one-line.ts";
import { warnOf } from "./output/warn-of.ts";

/** Time for QEMUs to finish a change: one that does not answer must not delay others. */
const ASK_MS = 2000;

/** Call before its recovery. */
type NewCall = Omit<Call, "running">;

/**
 * Finishes or undoes interrupted work before a command runs, as its specification says, and warns of failures. Always
 * cleans up after guests that have ended. Finishes changes of the guests that the command concerns, as far as their QEMUs
 * answer within 2 s. Returns the running guests; none for a command without recovery.
 */
export async function recoverFirst(spec: CommandSpec, call: NewCall): Promise<readonly RunningGuest[]> {
  const { recovery = "first" } = spec;
  if (recovery === "none") return [];
  if (recovery === "root" && call.instance.host.getUid() !== 0) return [];
  return await recoverFor(call, keysOf(recovery, call));
}

function keysOf(recovery: CommandSpec["recovery"], { operands, rest }: NewCall): readonly string[] | "all" {
  if (recovery === "others") return [];
  if (recovery === "all") return rest.length === 0 ? "all" : rest;
  return [operands.get("domain") ?? ""];
}

async function recoverFor(call: NewCall, keys: readonly string[] | "all"): Promise<readonly RunningGuest[]> {
  const isRestarting = hasPendingRestart(call.instance);
  // Usual case for commands about all guests: every guest runs, and no change is incomplete.
  const settled = keys === "all" && !isRestarting ? readSettledGuests(call.instance) : undefined;
  if (settled !== undefined) return settled;
  // Without records, the module that reads them is not loaded.
  if (!isRestarting && call.instance.host.listFolder(recordsFolder(call.instance.paths)).length === 0)
    return [];
  const { readRecords, isRunning } = await import("../state/record.ts");
  const { uuidOf } = await import("../vm/guest/find-domain.ts");
  const isConcerned: RecoverOptions["isConcerned"] & {} = ({ id, name, uuid }) =>
    keys === "all" || keys.some((key) => key === name || key === String(id) || uuidOf(key) === uuid);
  let isWhole = true;
  const guests = readRecords(call.instance, () => {
    isWhole = false;
  });
  const isSettled = guests.every(
    (guest) =>
      isRunning(call.instance, guest) &&
      ((guest.change === undefined && guest.jobs === undefined) || !isConcerned(guest)),
  );
  if (isWhole && isSettled && !isRestarting) return guests;
  const { recoverAll } = await import("../vm/recover/recover.ts");
  const swept = await recoverAll(call.instance, { isConcerned, askMs: ASK_MS });
  warnOf(call, "warning", swept.errors);
  for (const notice of swept.kept) call.output.warn(`warning: ${oneLine(notice)}\n`);
  return swept.running;
}
