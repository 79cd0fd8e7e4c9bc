import { joinErrors } from "../errors.ts";
import { listGivenUp } from "../plan/given-up.ts";
import { planUndo } from "../plan/inverse.ts";
import type { Step } from "../plan/step.ts";
import { whileFrozen } from "../run/freeze.ts";
import { listStillHeld, notGivenUp, type StillHeld } from "../run/let-go.ts";
import type { Watch } from "../run/run-plan.ts";
import { actorFor, undoShared } from "./clear-away.ts";
import type { Node } from "./node.ts";
import { type GuestRecord, identityOf, isRunning } from "./record.ts";

/** How long a QEMU that tells the truth takes to close at the most: a thread of its own unmaps memory, a little later. */
const LET_GO_TIMEOUT_MS = 3000;
const POLL_MS = 20;

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
  guest: GuestRecord,
  { isWaiting, steps, watch }: GivingUp,
): Promise<void> {
  const until = node.host.nowMs() + (isWaiting ? LET_GO_TIMEOUT_MS : 0);
  for (;;) {
    const held = await lookTwice(node, guest, steps);
    if (held.length === 0) break;
    if (node.host.nowMs() >= until) throw notGivenUp(guest.name, held);
    await node.host.sleep(POLL_MS);
  }
  const errors = await undoShared(node, { actor: actorFor(node, guest), steps, watch });
  if (errors.length > 0) throw joinErrors(errors[0], errors.slice(1));
}

/** A guest is stopped only to confirm that it holds nothing: an honest one once, for as long as a look takes. */
async function lookTwice(node: Node, guest: GuestRecord, steps: readonly Step[]): Promise<StillHeld[]> {
  if (listGivenUp(steps).length === 0) return [];
  const held = listHeldBy(node, guest, steps);
  if (held.length > 0) return held;
  return await whileFrozen(node.host, guest.steps, () => listHeldBy(node, guest, steps));
}

/** What the guest still has of what a change of it has yet to give up. */
export function listHeldInChange(node: Node, guest: GuestRecord): StillHeld[] {
  const { change } = guest;
  if (change === undefined || !isRunning(node, guest)) return [];
  const isFinishing = change.stage === "finishing";
  return listHeldBy(node, guest, isFinishing ? change.after : planUndo(change.steps));
}

/** What the guest still has of all that those steps give up. */
function listHeldBy({ host }: Node, guest: GuestRecord, steps: readonly Step[]): StillHeld[] {
  return listStillHeld(host, identityOf(guest), listGivenUp(steps));
}
