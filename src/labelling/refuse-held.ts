import { SvirtError } from "../errors.ts";
import type { HeldThing, Holding, ProcessFacts } from "../host/processes.ts";
import { isGuestUser } from "../plan/facts/guest-user.ts";
import { NETWORK_DEVICES } from "../plan/paths.ts";
import { countLooks } from "../plan/record/count-looks.ts";
import type { Step } from "../plan/steps/step.ts";
import type { GuestIdentity } from "../run/process/kill-guest.ts";
import { parseContextOrUndefined } from "../selinux/context.ts";
import { pairOf } from "../selinux/level.ts";
import { type Node, registryOf } from "../state/instance.ts";
import { readRecord } from "../state/record.ts";

const TAP = "tap-";

/** The guest whose processes may hold the inspected files: its own. */
export type OwnGuest = Pick<GuestIdentity, "uid" | "context">;

/**
 * Returns an error "label-taken", by key, for each file or tap that another guest's process has open or mapped without a
 * claim. The report of that guest's QEMU does not count. If a process has more open than is inspected, every file that it has
 * no claim on is refused.
 */
export function findHeldByOthers(
  node: Node,
  things: readonly HeldThing[],
  own?: OwnGuest,
): ReadonlyMap<string, SvirtError> {
  const found = new Map<string, SvirtError>();
  const opened = listPossiblyHeld(node, things);
  if (opened.length === 0) return found;
  for (const processes of groupByGuest(listOtherGuests(node, own)))
    for (const [key, error] of findHeldBy(node, opened, processes))
      if (!found.has(key)) found.set(key, error);
  return found;
}

/**
 * Lists the files and taps that some process may have open. A tap that is not made yet is held by none. In svirt's network,
 * queues of a tap are opened by its name. drivers/net/tun.c tun_set_iff() of Linux
 */
export function listPossiblyHeld({ host }: Node, things: readonly HeldThing[]): readonly HeldThing[] {
  return host
    .listOpened(things)
    .filter(
      ({ key }) =>
        !key.startsWith(TAP) ||
        host.readText(`${NETWORK_DEVICES}/${key.slice(TAP.length)}/flags`) !== undefined,
    );
}

/** Returns the errors for one guest's processes. */
function findHeldBy(
  node: Node,
  opened: readonly HeldThing[],
  processes: readonly ProcessFacts[],
): (readonly [string, SvirtError])[] {
  const [first] = processes;
  const owner = first === undefined ? undefined : ownerOf(node, first);
  const pids = processes.map(({ pid }) => pid);
  const how = { isComplete: false, most: countLooks(stepsOf(node, owner)) };
  return node.host.findHoldings(opened, pids, how).flatMap((holding) => {
    const process = processes.find(({ pid }) => pid === holding.pid);
    if (process === undefined) return [];
    return opened
      .filter(({ key }) => holding.isTooMuch === true || holding.key === key)
      .filter(({ key }) => owner === undefined || !isClaimedBy(node, key, owner))
      .map(
        ({ key, path = key }) =>
          [key, heldBy(path, { holding, guest: nameOf(node, owner), process })] as const,
      );
  });
}

/** Lists the processes of all guests except `own`. */
export function listOtherGuests(node: Node, own: OwnGuest | undefined): readonly ProcessFacts[] {
  return listGuests(node).filter((one) => !isSame(one, own));
}

function groupByGuest(processes: readonly ProcessFacts[]): readonly (readonly ProcessFacts[])[] {
  return [...Map.groupBy(processes, ({ context, uid }) => `${uid} ${context ?? ""}`).values()];
}

/**
 * Lists the processes of all guests: those with a level of their own, including libvirt's; without confinement, by their
 * user.
 */
function listGuests({ host }: Node): readonly ProcessFacts[] {
  const own = host.getOwnContext();
  return host.listProcessesIn((context, uid) => {
    if (context !== undefined && hasPair(context)) return true;
    return (context === undefined || context === own) && isGuestUser(uid() ?? 0);
  });
}

function hasPair(context: string): boolean {
  const range = parseContextOrUndefined(context)?.range;
  return range !== undefined && pairOf(range) !== undefined;
}

function isSame(one: ProcessFacts, own: Pick<GuestIdentity, "uid" | "context"> | undefined): boolean {
  if (own === undefined) return false;
  return (
    (isGuestUser(own.uid) && one.uid === own.uid) ||
    (one.context !== undefined && one.context === own.context)
  );
}

/** Returns the guest that owns the process, by its user or its level. */
function ownerOf(node: Node, { context, uid }: ProcessFacts): string | undefined {
  const registry = registryOf(node);
  const range = context === undefined ? undefined : parseContextOrUndefined(context)?.range;
  const [byUser] = registry.listHolders("uid", String(uid));
  const [byLevel] = range === undefined ? [] : registry.listHolders("level", range);
  return (byUser ?? byLevel)?.owner;
}

function isClaimedBy(node: Node, key: string, owner: string): boolean {
  return listOwners(node, key).includes(owner);
}

/** Lists the guests that have a claim on the file or tap with that key. */
export function listOwners(node: Node, key: string): readonly string[] {
  const [kind, name] = key.startsWith(TAP)
    ? (["tap", key.slice(TAP.length)] as const)
    : (["file", key] as const);
  return registryOf(node)
    .listHolders(kind, name)
    .map(({ owner }) => owner);
}

function stepsOf(node: Node, owner: string | undefined): readonly Step[] {
  return owner === undefined ? [] : (readRecord(node, owner)?.steps ?? []);
}

function nameOf(node: Node, owner: string | undefined): string | undefined {
  return owner === undefined ? undefined : (readRecord(node, owner)?.name ?? owner);
}

function heldBy(
  path: string,
  by: { readonly holding: Holding; readonly guest: string | undefined; readonly process: ProcessFacts },
): SvirtError {
  const { guest, holding, process } = by;
  const which = `process ${process.pid} (${process.command}), user ${process.uid}`;
  const who =
    guest === undefined ? `a guest that svirt does not know, ${which},` : `the guest ${guest}, ${which},`;
  const what =
    holding.isTooMuch === true ? `may hold it, for it has ${holding.by}` : `still holds it (${holding.by})`;
  return new SvirtError(`Cannot use ${path}: ${who} ${what}`, {
    kind: "label-taken",
    remedy:
      guest === undefined
        ? `End that process: kill ${process.pid}`
        : `End that guest, for it holds what it has no claim to: svirt destroy ${guest}`,
  });
}
