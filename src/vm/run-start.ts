import type { Step } from "../plan/step.ts";
import { inOneConversation } from "../run/one-conversation.ts";
import { runPlan, type Watch } from "../run/run-plan.ts";
import { actorFor, withRegistryLock } from "./clear-away.ts";
import type { Node } from "./node.ts";
import type { GuestRecord } from "./record.ts";

const PREPARATIONS: ReadonlySet<Step["do"]> = new Set([
  "reserve",
  "make-folder",
  "set-label",
  "write-udev-rule",
  "lend-folder",
  "share-tree",
  "grant",
  "expect-socket",
  "make-group",
]);

/** Carries out what of a start comes before QEMU. The caller holds the registry's lock. */
export async function runPreparation(node: Node, guest: GuestRecord, watch: Watch): Promise<void> {
  await runPlan(actorFor(node, guest), guest.steps.slice(0, countPreparations(guest)), watch);
}

/**
 * Carries out the rest: without the registry's lock, since QEMU takes its time. Only an entry is taken out of an ACL under
 * it: guests that share a file have theirs in one list, which is read and written as a whole.
 */
export async function runLaunch(node: Node, guest: GuestRecord, watch: Watch): Promise<void> {
  await inOneConversation(node.host, (host) => runRest({ ...node, host }, guest, watch));
}

async function runRest(node: Node, guest: GuestRecord, watch: Watch): Promise<void> {
  const { steps } = guest;
  const run = (from: number, to: number): Promise<void> =>
    runPlan(actorFor(node, guest), steps.slice(from, to), (moment, step, at) =>
      watch(moment, step, from + at),
    );
  const begin = countPreparations(guest);
  const first = steps.findIndex(isRevocation);
  if (first < 0) return await run(begin, steps.length);
  const end = steps.findLastIndex(isRevocation) + 1;
  await run(begin, first);
  await withRegistryLock(node, () => run(first, end));
  await run(end, steps.length);
}

function countPreparations({ steps }: GuestRecord): number {
  return steps.filter((step) => PREPARATIONS.has(step.do)).length;
}

function isRevocation(step: Step): boolean {
  return step.do === "revoke";
}
