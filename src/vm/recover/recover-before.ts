import type { SvirtError } from "../../errors.ts";
import type { ObjectKind } from "../../plan/change/object-kinds.ts";
import { recordsFolder } from "../../plan/paths.ts";
import { hasChanges } from "../../state/changes/changes.ts";
import type { Instance } from "../../state/instance.ts";
import { hasPendingRestart } from "../../state/pending-restart.ts";
import { type RunningGuest, readIdleGuests } from "../../state/running-guests.ts";
import { listSnapshotMerges } from "../../state/snapshots/snapshot-merge.ts";
import type { RecoverOptions } from "./recover.ts";

// Rule: A call finishes or undoes interrupted work before its own.

/** Time for QEMUs to finish a change: a silent QEMU must not delay others. */
const ASK_MS = 2000;

/** Running guests after a recovery, its errors, and the files left with a label, a sentence per file. */
export interface RecoveryBefore {
  readonly running: readonly RunningGuest[];
  readonly errors: readonly SvirtError[];
  readonly kept: readonly string[];
}

const NONE: RecoveryBefore = { running: [], errors: [], kept: [] };

/**
 * Finishes or undoes interrupted work before a use case: cleans up after all ended guests, and finishes the
 * changes of the guests with these names, ids or UUIDs, as far as their QEMUs answer within 2 s. With "all",
 * devices requested from guests are left to calls about these guests. With `isForRootAlone`, does nothing for
 * an ordinary user: the call then needs no folders. Never throws for a single guest.
 */
export async function recoverBefore(
  instance: Instance,
  keys: readonly string[] | "all",
  { isForRootAlone = false }: { readonly isForRootAlone?: boolean } = {},
): Promise<RecoveryBefore> {
  if (isForRootAlone && instance.host.getUid() !== 0) return NONE;
  const merges = listSnapshotMerges(instance).length > 0 ? await settleDeletions(instance) : [];
  // A device of the host may keep the kernel waiting: only calls about single guests, which may start with
  // it, settle its change.
  const changes = await settleObjects(instance, keys === "all" ? ["domain"] : ["domain", "node-device"]);
  const recovery = await recoverGuests(instance, keys);
  const errors = [...merges, ...changes];
  return errors.length === 0 ? recovery : { ...recovery, errors: [...errors, ...recovery.errors] };
}

/** Finishes or undoes deletions of snapshots. */
async function settleDeletions(instance: Instance): Promise<readonly SvirtError[]> {
  const { settleMerges } = await import("../snapshot/settle-merges.ts");
  const { withinTime } = await import("../../run/monitor/limit-conversations.ts");
  const { slowWithin } = await import("../../run/limit-slow-calls.ts");
  const inTime = { ...instance, host: slowWithin(withinTime(instance.host, ASK_MS), ASK_MS) };
  return await settleMerges(inTime);
}

/** Finishes or undoes interrupted changes of definitions and devices. Returns the errors. */
async function settleObjects(
  instance: Instance,
  kinds: readonly ObjectKind[],
): Promise<readonly SvirtError[]> {
  if (!hasChanges(instance, kinds)) return [];
  const { settleChanges } = await import("../object-change/settle.ts");
  return (await settleChanges(instance, kinds)).errors;
}

async function recoverGuests(instance: Instance, keys: readonly string[] | "all"): Promise<RecoveryBefore> {
  const isRestarting = hasPendingRestart(instance);
  // Usual case for use cases about all guests: every guest runs, and no change is incomplete.
  const idle = keys === "all" && !isRestarting ? readIdleGuests(instance) : undefined;
  if (idle !== undefined) return { running: idle, errors: [], kept: [] };
  // Without records, the module that reads them is not loaded.
  if (!isRestarting && instance.host.listFolder(recordsFolder(instance.paths)).length === 0) return NONE;
  const { uuidOf } = await import("../../domain/forms/uuid.ts");
  const isConcerned: RecoverOptions["isConcerned"] & {} = ({ id, name, uuid }) =>
    keys === "all" || keys.some((key) => key === name || key === String(id) || uuidOf(key) === uuid);
  const others = keys === "all" || isRestarting ? undefined : readIdleGuests(instance, isConcerned);
  if (others !== undefined) return { running: others, errors: [], kept: [] };
  const { recoverAll } = await import("./recover.ts");
  return await recoverAll(instance, { isConcerned, askMs: ASK_MS, leavesAsked: keys === "all" });
}
