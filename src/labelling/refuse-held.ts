import { SvirtError } from "../errors.ts";
import type { HeldThing, Holding, ProcessFacts } from "../host/host.ts";
import { isGuestUser } from "../plan/facts/guest-user.ts";
import { listTaken } from "../plan/record/given-up.ts";
import type { Step } from "../plan/steps/step.ts";
import type { GuestIdentity } from "../run/process/kill-guest.ts";
import { parseContextOrUndefined } from "../selinux/context.ts";
import { pairOf } from "../selinux/level.ts";
import { type Node, registryOf } from "../state/instance.ts";
import { readRecord } from "../state/record.ts";

/**
 * Throws "label-taken" when a process of another guest has something that these steps take for the guest, by descriptor or by
 * mapping, and no claim on it: whatever its QEMU said when it was to let go. The caller holds the registry's lock.
 */
export function refuseHeldByOthers(
  node: Node,
  steps: readonly Step[],
  own?: Pick<GuestIdentity, "uid" | "context">,
): void {
  const things = listTaken(steps);
  const [error] = findHeldByOthers(node, things, own).values();
  if (error !== undefined) throw error;
}

/** The same for each of those things that is so, by its key. */
export function findHeldByOthers(
  node: Node,
  things: readonly HeldThing[],
  own?: Pick<GuestIdentity, "uid" | "context">,
): ReadonlyMap<string, SvirtError> {
  const found = new Map<string, SvirtError>();
  const opened = node.host.listOpened(things);
  if (opened.length === 0) return found;
  const others = listGuests(node).filter((one) => !isSame(one, own));
  if (others.length === 0) return found;
  const pids = others.map(({ pid }) => pid);
  for (const holding of node.host.findHoldings(opened, pids, { isComplete: false })) {
    const { key, pid } = holding;
    const process = others.find((one) => one.pid === pid);
    if (key === undefined || process === undefined || found.has(key)) continue;
    const owner = ownerOf(node, process);
    if (owner !== undefined && isClaimedBy(node, key, owner)) continue;
    const path = things.find((one) => one.key === key)?.path ?? key;
    found.set(key, heldBy(path, { holding, guest: nameOf(node, owner), process }));
  }
  return found;
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
  const [kind, name] = key.startsWith("tap-")
    ? (["tap", key.slice("tap-".length)] as const)
    : (["file", key] as const);
  return registryOf(node)
    .listHolders(kind, name)
    .some((holder) => holder.owner === owner);
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
  return new SvirtError(`Cannot use ${path}: ${who} still holds it (${holding.by})`, {
    kind: "label-taken",
    remedy:
      guest === undefined
        ? `End that process: kill ${process.pid}`
        : `End that guest, for it holds what it has no claim to: svirt destroy ${guest}`,
  });
}
