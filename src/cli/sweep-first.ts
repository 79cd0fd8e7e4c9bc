import { recordsFolder } from "../plan/paths.ts";
import { hasPendingRestart } from "../state/pending-restart.ts";
import type { GuestRecord } from "../state/record.ts";
import type { SweepWish } from "../vm/recover/recover.ts";
import type { Call } from "./command.ts";
import { oneLine } from "./output/one-line.ts";
import { warnOf } from "./output/warn-of.ts";

/** The same for a command that tells of the host, which must not need the folders of an ordinary user. */
export async function sweepAsRoot(call: Call): Promise<void> {
  if (call.node.host.getUid() === 0) await sweepFirst(call);
}

/** How long QEMUs are asked to finish what was begun: one that does not answer must not keep others waiting. */
const ASK_MS = 2000;

/** The same before a command that is about all guests. */
export async function sweepAll(call: Call): Promise<readonly GuestRecord[]> {
  return await sweepFirst(call, "all");
}

/**
 * Finishes what others have left, and tells what could not be finished. What takes time is done for the domain that the
 * command is about (its operand `domain`, or the keys) alone, and changes as far as QEMUs answer within 2 s. Returns the
 * guests that run.
 */
export async function sweepFirst(
  call: Call,
  keys: readonly string[] | "all" = [call.operands.get("domain") ?? ""],
): Promise<readonly GuestRecord[]> {
  // Nothing to read: then what reads it need not be loaded, which is half the time of svirt list.
  if (call.node.host.listFolder(recordsFolder(call.node.paths)).length === 0 && !hasPendingRestart(call.node))
    return [];
  const { readRecords, isRunning } = await import("../state/record.ts");
  const { uuidOf } = await import("../vm/guest/find-domain.ts");
  const isConcerned: SweepWish["isConcerned"] & {} = ({ id, name, uuid }) =>
    keys === "all" || keys.some((key) => key === name || key === String(id) || uuidOf(key) === uuid);
  let isWhole = true;
  const guests = readRecords(call.node, () => {
    isWhole = false;
  });
  // All that was started runs, nothing is half changed, and nothing waits: the usual case, and the quick one.
  const isSettled = guests.every(
    (guest) =>
      isRunning(call.node, guest) &&
      ((guest.change === undefined && guest.jobs === undefined) || !isConcerned(guest)),
  );
  if (isWhole && isSettled && !hasPendingRestart(call.node)) return guests;
  const { sweep } = await import("../vm/recover/recover.ts");
  const swept = await sweep(call.node, { isConcerned, askMs: ASK_MS });
  warnOf(call, "warning", swept.errors);
  for (const notice of swept.kept) call.output.warn(`warning: ${oneLine(notice)}\n`);
  return swept.running;
}
