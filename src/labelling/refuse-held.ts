import { SvirtError } from "../errors.ts";
import type { HeldThing, Holding, ProcessFacts } from "../host/host.ts";
import { isGuestUser } from "../plan/facts/guest-user.ts";
import { countLooks } from "../plan/record/count-looks.ts";
import type { Step } from "../plan/steps/step.ts";
import type { GuestIdentity } from "../run/process/kill-guest.ts";
import { parseContextOrUndefined } from "../selinux/context.ts";
import { pairOf } from "../selinux/level.ts";
import { type Node, registryOf } from "../state/instance.ts";
import { readRecord } from "../state/record.ts";

const TAP = "tap-";
const DEVICES = "/sys/class/net";

/** Of which guest, if any, the processes may hold what is looked for: its own. */
export type OwnGuest = Pick<GuestIdentity, "uid" | "context">;

/**
 * An error "label-taken" for each of those things that a process of another guest has, by descriptor or by mapping, without a
 * claim on it, whatever its QEMU said when it was to let go; by its key. Where one has more open than is looked at, all that it
 * has no claim on is refused.
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
 * Those of these things that some process may have. A tap that is yet to be made is had by none: queues of a tap are opened by its
 * name in svirt's network. drivers/net/tun.c tun_set_iff() of Linux
 */
export function listPossiblyHeld({ host }: Node, things: readonly HeldThing[]): readonly HeldThing[] {
  return host
    .listOpened(things)
    .filter(
      ({ key }) =>
        !key.startsWith(TAP) || host.readText(`${DEVICES}/${key.slice(TAP.length)}/flags`) !== undefined,
    );
}

/** The same of one guest's processes. */
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

/** All processes of guests but that one's. */
export function listOtherGuests(node: Node, own: OwnGuest | undefined): readonly ProcessFacts[] {
  return listGuests(node).filter((one) => !isSame(one, own));
}

function groupByGuest(processes: readonly ProcessFacts[]): readonly (readonly ProcessFacts[])[] {
  return [...Map.groupBy(processes, ({ context, uid }) => `${uid} ${context ?? ""}`).values()];
}

/** All processes of guests: those with a level of their own, as libvirt's have one, too; without confinement, by their user. */
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

/** The guest whose process that is, by its user or its level. */
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

/** The guests that have a claim on what has that key. */
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
