import type { ProcessFacts } from "../../host/processes.ts";
import { guestOfRule, UDEV_RULES } from "../../plan/actions/udev-rule.ts";
import { recordsFolder } from "../../plan/paths.ts";
import { REAPER } from "../../run/process/kill-guest.ts";
import { type Instance, isSession, registryOf } from "../../state/instance.ts";
import { type GuestRecord, isRunning } from "../../state/record.ts";

const UUID_LENGTH = 36;

/**
 * Lists leftovers of guests that do not run, and QEMU processes that belong to no guest. `damaged` has the UUIDs of
 * unreadable records.
 */
export function findLeftovers(
  instance: Instance,
  records: readonly GuestRecord[],
  damaged: readonly string[],
): string[] {
  const known = new Set([...records.map((guest) => guest.uuid), ...damaged]);
  const ended = records.filter((guest) => !isRunning(instance, guest));
  return [
    ...findClaims(instance, known),
    ...ended.map(({ name }) => `${name}: has ended and is not cleaned up; run svirt recover`),
    ...findStrays(instance, records),
    ...findFolders(instance, known),
    ...(isSession(instance) ? [] : findRules(instance, known)),
  ];
}

function findClaims(instance: Instance, known: ReadonlySet<string>): string[] {
  return registryOf(instance)
    .listAll()
    .filter(({ kind, owner }) => kind !== "static" && !known.has(owner))
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

/** Root's audit ignores processes of users' sessions, and a user's audit those of other users. */
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

function findFolders({ host, paths }: Instance, known: ReadonlySet<string>): string[] {
  return host
    .listFolder(paths.run)
    .filter((name) => name.length === UUID_LENGTH && !known.has(name))
    .map((name) => `${paths.run}/${name} is left over: ${recordsFolder(paths)} has no record of that guest`);
}

function findRules({ host }: Instance, known: ReadonlySet<string>): string[] {
  return host.listFolder(UDEV_RULES).flatMap((name) => {
    const uuid = guestOfRule(name);
    if (uuid === undefined || known.has(uuid)) return [];
    return [`${UDEV_RULES}/${name} labels a device for a guest that does not run; remove it`];
  });
}
