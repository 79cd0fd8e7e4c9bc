import { recordsFolder } from "../plan/paths.ts";
import type { GuestRecord } from "../vm/record.ts";
import type { Call } from "./command.ts";

/** Finishes what others have left, and tells what could not be finished. Gives the guests that run. */
export async function sweepFirst(call: Call): Promise<readonly GuestRecord[]> {
  const { hasPendingRestart } = await import("../vm/pending-restart.ts");
  // Nothing to read: then what reads it need not be loaded, which is half the time of svirt list.
  if (call.node.host.listFolder(recordsFolder(call.node.paths)).length === 0 && !hasPendingRestart(call.node))
    return [];
  const { readRecords, isRunning } = await import("../vm/record.ts");
  const guests = readRecords(call.node);
  // All that was started runs, and nothing waits: the usual case, and the quick one.
  if (guests.every((guest) => isRunning(call.node, guest)) && !hasPendingRestart(call.node)) return guests;
  const { sweep } = await import("../vm/settle.ts");
  const swept = await sweep(call.node);
  for (const error of swept.errors) call.output.warn(`warning: ${error.message}\n`);
  return swept.running;
}
