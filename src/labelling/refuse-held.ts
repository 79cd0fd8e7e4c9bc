import { SvirtError } from "../errors.ts";
import type { HeldThing, Holding, ProcessFacts } from "../host/processes.ts";
import { isGuestUser } from "../plan/facts/guest-user.ts";
import { NETWORK_DEVICES } from "../plan/paths.ts";
import { countLooks } from "../plan/record/count-looks.ts";
import type { Step } from "../plan/steps/step.ts";
import type { GuestIdentity } from "../run/process/kill-guest.ts";
import { parseContextOrUndefined } from "../selinux/context.ts";
import { pairOf } from "../selinux/level.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { ownerName, readRecord } from "../state/record.ts";

const TAP = "tap-";
/** Processes of guests are listed sooner than so many files are opened. */
const MANY = 100;

/** Guest behind the inspection. Its own processes may hold the files. */
export type OwnGuest = Pick<GuestIdentity, "uid" | "context">;

/**
 * Returns an error "in-use", by key, for each file or tap opened or mapped by another guest's process without
 * a claim. The report of the other guest's QEMU does not count. If a process has more open files than the
 * inspection covers, every file without its claim is refused.
 */
export function findHeldByOthers(
  instance: Instance,
  things: readonly HeldThing[],
  own?: OwnGuest,
): ReadonlyMap<string, SvirtError> {
  const found = new Map<string, SvirtError>();
  if (things.length > MANY && listOtherGuests(instance, own).length === 0) return found;
  const opened = listPossiblyHeld(instance, things);
  if (opened.length === 0) return found;
  for (const processes of groupByGuest(listOtherGuests(instance, own)))
    for (const [key, error] of findHeldBy(instance, opened, processes))
      if (!found.has(key)) found.set(key, error);
  return found;
}

/**
 * Lists the files and taps possibly open in some process. A future tap is open in none: a queue of it can be
 * opened only by its name in svirt's network namespace. drivers/net/tun.c tun_set_iff() of Linux
 */
export function listPossiblyHeld({ host }: Instance, things: readonly HeldThing[]): readonly HeldThing[] {
  return host
    .listOpened(things)
    .filter(
      ({ key }) =>
        !key.startsWith(TAP) ||
        host.readText(`${NETWORK_DEVICES}/${key.slice(TAP.length)}/flags`) !== undefined,
    );
}

/** Returns the errors for a guest's processes. */
function findHeldBy(
  instance: Instance,
  opened: readonly HeldThing[],
  processes: readonly ProcessFacts[],
): (readonly [string, SvirtError])[] {
  const [first] = processes;
  const owner = first === undefined ? undefined : ownerOf(instance, first);
  const pids = processes.map(({ pid }) => pid);
  const how = { isComplete: false, most: countLooks(stepsOf(instance, owner)) };
  return instance.host.findHoldings(opened, pids, how).flatMap((holding) => {
    const process = processes.find(({ pid }) => pid === holding.pid);
    if (process === undefined) return [];
    return opened
      .filter(({ key }) => holding.isTooMuch === true || holding.key === key)
      .filter(({ key }) => owner === undefined || !isClaimedBy(instance, key, owner))
      .map(
        ({ key, path = key }) =>
          [key, heldBy(path, { holding, guest: nameOf(instance, owner), process })] as const,
      );
  });
}

/** Lists the processes of all guests except `own`. */
export function listOtherGuests(instance: Instance, own: OwnGuest | undefined): readonly ProcessFacts[] {
  return listGuests(instance).filter((one) => !isSame(one, own));
}

function groupByGuest(processes: readonly ProcessFacts[]): readonly (readonly ProcessFacts[])[] {
  return [...Map.groupBy(processes, ({ context, uid }) => `${uid} ${context ?? ""}`).values()];
}

/**
 * Lists the processes of all guests: processes with a private level, including libvirt's; without
 * confinement, by their user.
 */
function listGuests({ host }: Instance): readonly ProcessFacts[] {
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

/** Returns the owning guest of the process, by its user or its level. */
function ownerOf(instance: Instance, { context, uid }: ProcessFacts): string | undefined {
  const registry = registryOf(instance);
  const range = context === undefined ? undefined : parseContextOrUndefined(context)?.range;
  const [byUser] = registry.listHolders("uid", String(uid));
  const [byLevel] = range === undefined ? [] : registry.listHolders("level", range);
  return (byUser ?? byLevel)?.owner;
}

function isClaimedBy(instance: Instance, key: string, owner: string): boolean {
  return listOwners(instance, key).includes(owner);
}

/** Lists the guests with a claim on the file or tap of the key. */
export function listOwners(instance: Instance, key: string): readonly string[] {
  const [kind, name] = key.startsWith(TAP)
    ? (["tap", key.slice(TAP.length)] as const)
    : (["file", key] as const);
  return registryOf(instance)
    .listHolders(kind, name)
    .map(({ owner }) => owner);
}

function stepsOf(instance: Instance, owner: string | undefined): readonly Step[] {
  return owner === undefined ? [] : (readRecord(instance, owner)?.steps ?? []);
}

function nameOf(instance: Instance, owner: string | undefined): string | undefined {
  return owner === undefined ? undefined : ownerName(instance, { owner });
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
    holding.isTooMuch === true ? `may still hold it (${holding.by})` : `still holds it (${holding.by})`;
  return new SvirtError(`Cannot use ${path}: ${who} ${what}`, {
    kind: "in-use",
    remedy:
      guest === undefined
        ? `End that process: kill ${process.pid}`
        : `End that guest, which has no claim to the file: svirt destroy ${guest}`,
  });
}
