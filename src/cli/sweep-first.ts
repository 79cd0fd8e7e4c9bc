import { recordsFolder } from "../plan/paths.ts";
import { hasPendingRestart } from "../vm/pending-restart.ts";
import type { GuestRecord } from "../vm/record.ts";
import type { Call } from "./command.ts";
import { warnOf } from "./warn-of.ts";

/** The same for a command that tells of the host, which must not need the folders of an ordinary user. */
export async function sweepAsRoot(call: Call): Promise<void> {
  if (call.node.host.getUid() === 0) await sweepFirst(call);
}

/** Finishes what others have left, and tells what could not be finished. Gives the guests that run. */
export async function sweepFirst(call: Call): Promise<readonly GuestRecord[]> {
  // Nothing to read: then what reads it need not be loaded, which is half the time of svirt list.
  if (call.node.host.listFolder(recordsFolder(call.node.paths)).length === 0 && !hasPendingRestart(call.node))
    return [];
  const { readRecords, isRunning } = await import("../vm/record.ts");
  let isWhole = true;
  const guests = readRecords(call.node, () => {
    isWhole = false;
  });
  // All that was started runs, nothing is half changed, and nothing waits: the usual case, and the quick one.
  const isSettled = guests.every(
    (guest) => guest.change === undefined && guest.jobs === undefined && isRunning(call.node, guest),
  );
  if (isWhole && isSettled && !hasPendingRestart(call.node)) return guests;
  const { sweep } = await import("../vm/settle.ts");
  const swept = await sweep(call.node);
  warnOf(call, "warning", swept.errors);
  return swept.running;
}
