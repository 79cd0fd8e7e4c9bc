import { SvirtError } from "../errors.ts";
import type { HeldThing } from "../host/host.ts";
import { listTaken } from "../plan/record/given-up.ts";
import type { Step } from "../plan/steps/step.ts";
import type { Node } from "../state/instance.ts";
import { withRegistryLock } from "../state/locks.ts";
import {
  findHeldByOthers,
  listOtherGuests,
  listOwners,
  listPossiblyHeld,
  type OwnGuest,
} from "./refuse-held.ts";

/** A look takes as long as guests have files open; claims that change meanwhile make it void. */
const MOST_TRIES = 10;

/** What no other guest's process held without a claim: by its key, who had claims on it when that was looked at. */
export type Looks = ReadonlyMap<string, string>;

const NONE: Looks = new Map();

/** What is left to be looked at before the work can be done, or what it came to. */
export type Attempt<Result> = { readonly unseen: readonly HeldThing[] } | { readonly result: Result };

/**
 * Works under the registry's lock on things that no other guest's process holds. What listUnseen() gives is looked at without the
 * lock, and the work begins again: so no guest keeps other guests from being started or ended by what it has open. Between look
 * and work only svirt could hand such a thing to a guest, which takes a claim on it and shows in listUnseen(). Throws
 * "label-taken" for what is held, "timeout" if claims do not stop changing.
 */
export async function withLooks<Result>(
  node: Node,
  own: OwnGuest | undefined,
  attempt: (looks: Looks) => Promise<Attempt<Result>>,
): Promise<Result> {
  let looks = NONE;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const tried = await withRegistryLock(node, () => attempt(looks));
    if ("result" in tried) return tried.result;
    const before = beginLooks(node, tried.unseen);
    const [error] = findHeldByOthers(node, tried.unseen, own).values();
    if (error !== undefined) throw error;
    looks = new Map([...looks, ...before]);
  }
  throw new SvirtError("Cannot tell what other guests hold: their claims changed at each look", {
    kind: "timeout",
    remedy: "Do it again.",
  });
}

/** What those steps take that others may hold, and that was not looked at since claims on it changed. The caller holds the lock. */
export function listUnseen(
  node: Node,
  steps: readonly Step[],
  { looks, own }: { readonly looks: Looks; readonly own?: OwnGuest },
): readonly HeldThing[] {
  const unseen = listChanged(node, listPossiblyHeld(node, listTaken(steps)), looks);
  return unseen.length === 0 || listOtherGuests(node, own).length === 0 ? [] : unseen;
}

/** Who has claims on those things: asked before they are looked at. */
export function beginLooks(node: Node, things: readonly HeldThing[]): Looks {
  return new Map(things.map(({ key }) => [key, ownersOf(node, key)]));
}

/** Those things that were not looked at, or on which other guests have claims since. */
export function listChanged(node: Node, things: readonly HeldThing[], looks: Looks): readonly HeldThing[] {
  return things.filter(({ key }) => looks.get(key) !== ownersOf(node, key));
}

function ownersOf(node: Node, key: string): string {
  return listOwners(node, key).toSorted().join(" ");
}
