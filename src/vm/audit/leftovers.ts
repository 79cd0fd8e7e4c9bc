import type { ProcessFacts } from "../../host/processes.ts";
import { guestOfRule, UDEV_RULES } from "../../plan/actions/udev-rule.ts";
import { recordsFolder } from "../../plan/paths.ts";
import { REAPER } from "../../run/process/kill-guest.ts";
import { type Instance, isSession, registryOf } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { isAtWork } from "./commands-at-work.ts";

// Rule: Files, claims and processes that belong to no guest are leftovers.

const UUID_LENGTH = 36;

/**
 * Guests that have a record, of which some have ended without a command that works on them; and the UUIDs of
 * unreadable records.
 */
interface Recorded {
  readonly records: readonly GuestRecord[];
  readonly ended: readonly GuestRecord[];
  readonly damaged: readonly string[];
}

/**
 * Lists leftovers of guests that do not run, and QEMU processes that belong to no guest. What belongs to a
 * guest on which another command works is left out.
 */
export function findLeftovers(instance: Instance, { damaged, ended, records }: Recorded): string[] {
  const recorded = new Set([...records.map((guest) => guest.uuid), ...damaged]);
  const isKnown: IsKnown = (uuid) => recorded.has(uuid) || isAtWork(instance, uuid);
  return [
    ...findClaims(instance, isKnown),
    ...ended.map(({ name }) => `${name}: has ended and is not cleaned up; run svirt recover`),
    ...findStrays(instance, records),
    ...findFolders(instance, isKnown),
    ...(isSession(instance) ? [] : findRules(instance, isKnown)),
  ];
}

type IsKnown = (uuid: string) => boolean;

function findClaims(instance: Instance, isKnown: IsKnown): string[] {
  return registryOf(instance)
    .listAll()
    .filter(({ kind, owner }) => kind !== "static" && !isKnown(owner))
    .map(({ key, kind, owner }) => `${kind} ${key} is held by ${owner}, which has no record`);
}

function findStrays(instance: Instance, records: readonly GuestRecord[]): string[] {
  return instance.host
    .listProcesses()
    .filter((process) => process.command.startsWith("qemu-system") && isStray(instance, process, records))
    .map(
      ({ context, pid }) =>
        `process ${pid} is a QEMU that svirt did not start (context: ${context ?? "none"})`,
    );
}

/** Root's audit ignores processes of users' sessions, and a user's audit other users'. */
function isStray(instance: Instance, process: ProcessFacts, records: readonly GuestRecord[]): boolean {
  if (isSession(instance)) {
    const isKnown = records.some((guest) => guest.process?.pid === process.pid);
    return process.uid === instance.host.getUid() && !isKnown;
  }
  return !records.some(({ uid }) => uid === process.uid) && !isOfSession(instance, process);
}

/** Reports whether the parent is a reaper of the same user, who is not root. */
function isOfSession({ host }: Instance, { parentPid, uid }: ProcessFacts): boolean {
  return (
    uid !== 0 && host.getProcess(parentPid)?.uid === uid && host.getCommandLine(parentPid).includes(REAPER)
  );
}

function findFolders({ host, paths }: Instance, isKnown: IsKnown): string[] {
  return host
    .listFolder(paths.run)
    .filter((name) => name.length === UUID_LENGTH && !isKnown(name))
    .map((name) => `${paths.run}/${name} is left over: ${recordsFolder(paths)} has no record of that guest`);
}

function findRules({ host }: Instance, isKnown: IsKnown): string[] {
  return host.listFolder(UDEV_RULES).flatMap((name) => {
    const uuid = guestOfRule(name);
    if (uuid === undefined || isKnown(uuid)) return [];
    return [`${UDEV_RULES}/${name} labels a device for a guest that does not run; remove it`];
  });
}
