import { joinErrors } from "../../errors.ts";
import type { GivenUp } from "../../plan/facts/given-up.ts";
import { countLooks } from "../../plan/record/count-looks.ts";
import { listEndedPeers, listGivenUp } from "../../plan/record/given-up.ts";
import { planUndo } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import { whileFrozen } from "../../run/process/freeze.ts";
import { type LookedAtGuest, listStillHeld, notGivenUp, type StillHeld } from "../../run/process/let-go.ts";
import type { Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { actorFor } from "../../state/locks.ts";
import { type GuestChange, type GuestRecord, identityOf, isRunning } from "../../state/record.ts";
import { undoShared } from "../end/end-guest.ts";

/** Longest time in which an honest QEMU closes a file. One of its threads unmaps memory a little later. */
const LET_GO_TIMEOUT_MS = 3000;
const POLL_MS = 20;

/** Guest with a change in progress. */
export type ChangingGuest = GuestRecord & { readonly change: GuestChange };

/** Steps that release labels and claims, and whether to wait for the guest to close its files. */
interface GivingUp {
  readonly steps: readonly Step[];
  readonly watch: Watch;
  readonly isWaiting: boolean;
}

/**
 * Releases labels and claims while the guest runs, once the kernel shows that none of its processes has the files. The
 * caller holds the guest's lock, so that svirt passes no file to it meanwhile. Throws "partly" when a process still has
 * one. Then no step was carried out, and the steps stay in the record for the next call. Throws the errors of the
 * steps, joined, after the last one.
 */
export async function giveUp(
  node: Node,
  guest: ChangingGuest,
  { isWaiting, steps, watch }: GivingUp,
): Promise<void> {
  const things = listThings(guest);
  const until = node.host.nowMs() + (isWaiting ? LET_GO_TIMEOUT_MS : 0);
  for (;;) {
    const held = await lookTwice(node, guest, things);
    if (held.length === 0) break;
    if (node.host.nowMs() >= until) throw notGivenUp(guest.name, held);
    await node.host.sleep(POLL_MS);
  }
  const errors = await undoShared(node, { actor: actorFor(node, guest), steps, watch });
  if (errors.length > 0) throw joinErrors(errors[0], errors.slice(1));
}

/** Lists holdings of the guest that its change in progress has yet to release. */
export function listHeldInChange(node: Node, guest: GuestRecord): StillHeld[] {
  const { change } = guest;
  if (change === undefined || !isRunning(node, guest)) return [];
  return listStillHeld(node.host, lookedAt(guest), listThings({ ...guest, change }));
}

function lookedAt(guest: GuestRecord): LookedAtGuest {
  return { ...identityOf(guest), most: countLooks(guest.steps) };
}

/** Freezes a guest only to confirm that it holds nothing: an honest one once, for the time of one inspection. */
async function lookTwice(
  { host }: Node,
  guest: GuestRecord,
  things: readonly GivenUp[],
): Promise<StillHeld[]> {
  if (things.length === 0) return [];
  const look = (): StillHeld[] => listStillHeld(host, lookedAt(guest), things);
  const held = look();
  return held.length > 0 ? held : await whileFrozen(host, guest.steps, look);
}

/** Lists all files that the change, or undoing it, takes from the guest. */
function listThings({ change, steps }: ChangingGuest): GivenUp[] {
  const ending = change.stage === "finishing" ? change.after : planUndo(change.steps);
  const done = [...steps, ...change.steps];
  return [...listGivenUp(ending, done), ...listEndedPeers(done, ending)];
}
