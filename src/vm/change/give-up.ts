import { joinErrors } from "../../errors.ts";
import { countLooks } from "../../plan/record/count-looks.ts";
import { type GivenUp, listEndedPeers, listGivenUp } from "../../plan/record/given-up.ts";
import { planUndo } from "../../plan/steps/inverse.ts";
import type { Step } from "../../plan/steps/step.ts";
import { whileFrozen } from "../../run/process/freeze.ts";
import { type LookedAtGuest, listStillHeld, notGivenUp, type StillHeld } from "../../run/process/let-go.ts";
import type { Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { actorFor } from "../../state/locks.ts";
import { type GuestChange, type GuestRecord, identityOf, isRunning } from "../../state/record.ts";
import { undoShared } from "../end/end-guest.ts";

/** How long a QEMU that tells the truth takes to close at the most: a thread of its own unmaps memory, a little later. */
const LET_GO_TIMEOUT_MS = 3000;
const POLL_MS = 20;

/** A guest with a change under way. */
export type ChangingGuest = GuestRecord & { readonly change: GuestChange };

/** What is given back, and whether a guest is given the time that closing takes. */
interface GivingUp {
  readonly steps: readonly Step[];
  readonly watch: Watch;
  readonly isWaiting: boolean;
}

/**
 * Gives labels and claims back while the guest runs, once the kernel says that no process of the guest has what they are
 * about. The caller holds the guest's lock, so that svirt hands it nothing meanwhile. Throws "partly" when one still has; then
 * none of the steps was carried out, and they stay in the record for the next call. Throws what the steps throw, joined, after
 * the last.
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

/** What the guest still has of what a change of it has yet to give up. */
export function listHeldInChange(node: Node, guest: GuestRecord): StillHeld[] {
  const { change } = guest;
  if (change === undefined || !isRunning(node, guest)) return [];
  return listStillHeld(node.host, lookedAt(guest), listThings({ ...guest, change }));
}

function lookedAt(guest: GuestRecord): LookedAtGuest {
  return { ...identityOf(guest), most: countLooks(guest.steps) };
}

/** A guest is stopped only to confirm that it holds nothing: an honest one once, for as long as a look takes. */
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

/** All that the change takes from the guest, or its being taken back. */
function listThings({ change, steps }: ChangingGuest): GivenUp[] {
  const ending = change.stage === "finishing" ? change.after : planUndo(change.steps);
  const done = [...steps, ...change.steps];
  return [...listGivenUp(ending, done), ...listEndedPeers(done, ending)];
}
