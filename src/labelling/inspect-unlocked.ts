import { SvirtError } from "../errors.ts";
import type { HeldThing } from "../host/processes.ts";
import { listClaimed } from "../plan/record/released-resources.ts";
import type { Step } from "../plan/steps/step.ts";
import type { Instance } from "../state/instance.ts";
import { withRegistryLock } from "../state/locks.ts";
import {
  findHeldByOthers,
  listOtherGuests,
  listOwners,
  listPossiblyHeld,
  type OwnGuest,
} from "./refuse-held.ts";

/**
 * Maximum number of attempts. The more files guests have open, the longer an inspection takes; a claim that
 * changes during it invalidates it.
 */
const MOST_TRIES = 10;

/**
 * Files and taps that no other guest's process held without a claim: by key, the owners of claims when it was
 * inspected.
 */
export type Looks = ReadonlyMap<string, string>;

const NONE: Looks = new Map();

/**
 * Result of an attempt: the files and taps to inspect before the work can be done, or the result of the work.
 */
export type Attempt<Result> = { readonly unseen: readonly HeldThing[] } | { readonly result: Result };

/**
 * Does the work under the registry lock, on files and taps held by no other guest's process. The results of
 * listUnseen() are inspected without the lock, and the work begins again. So a guest with many open files
 * does not keep other guests from being started or ended. Between inspection and work only svirt could pass
 * such a file to a guest, and its claim then appears in listUnseen(). Throws "in-use" for a held file,
 * "timeout" if claims do not stop changing.
 */
export async function withLooks<Result>(
  instance: Instance,
  own: OwnGuest | undefined,
  attempt: (looks: Looks) => Promise<Attempt<Result>>,
): Promise<Result> {
  let looks = NONE;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const tried = await withRegistryLock(instance, () => attempt(looks));
    if ("result" in tried) return tried.result;
    const before = beginLooks(instance, tried.unseen);
    const [error] = findHeldByOthers(instance, tried.unseen, own).values();
    if (error !== undefined) throw error;
    looks = new Map([...looks, ...before]);
  }
  throw new SvirtError("Cannot list the claims of other guests: they changed during every attempt", {
    kind: "timeout",
    remedy: "Repeat the command.",
  });
}

/**
 * Lists files and taps that the steps claim and other guests may hold, unless they have been inspected since
 * their claims changed. The caller holds the lock.
 */
export function listUnseen(
  instance: Instance,
  steps: readonly Step[],
  { looks, own }: { readonly looks: Looks; readonly own?: OwnGuest },
): readonly HeldThing[] {
  const unseen = listChanged(instance, listPossiblyHeld(instance, listClaimed(steps)), looks);
  return unseen.length === 0 || listOtherGuests(instance, own).length === 0 ? [] : unseen;
}

/** Returns the owners of claims on these files and taps, read before the inspection. */
export function beginLooks(instance: Instance, things: readonly HeldThing[]): Looks {
  return new Map(things.map(({ key }) => [key, ownersOf(instance, key)]));
}

/** Lists the files and taps without an inspection, or with changed claims since. */
export function listChanged(
  instance: Instance,
  things: readonly HeldThing[],
  looks: Looks,
): readonly HeldThing[] {
  return things.filter(({ key }) => looks.get(key) !== ownersOf(instance, key));
}

function ownersOf(instance: Instance, key: string): string {
  return listOwners(instance, key).toSorted().join(" ");
}
