import { guestPaths } from "../../plan/paths.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { listRecorded } from "../../state/record.ts";

// Rule: An audit looks again while other commands work.

/** Longest wait for commands that change guests one after another. */
const MOST_MS = 10_000;
/** Longest wait for the reaper of a guest that has just ended. */
const REAPING_MS = 3000;
const POLL_MS = 100;

/** Findings of one look, and whether a guest among them has ended and is not cleaned up. */
export interface Look {
  readonly findings: readonly string[];
  readonly hasEnded: boolean;
}

/** Reports whether another command works on the guest. Nothing is created for a guest without a lock. */
export function isAtWork({ host, paths }: Instance, uuid: string): boolean {
  const { lock } = guestPaths(paths, uuid);
  return host.inspectFile(lock) !== undefined && host.isLocked(lock);
}

/**
 * Looks again while other commands start, change or end guests: a look reads one fact after another, so that
 * it finds traces of work in progress. Returns the last look, with the findings that every look has had.
 * Without other commands one look is enough, but for a guest that has ended: its reaper has a moment to clean
 * up.
 */
export async function lookUntilSettled<Seen extends Look>(
  instance: Instance,
  look: () => Promise<Seen>,
): Promise<Seen> {
  const { host } = instance;
  const begun = host.nowMs();
  let lasting: readonly string[] | undefined;
  for (;;) {
    const before = stateOf(instance);
    const seen = await look();
    const findings = seen.findings.filter((one) => lasting === undefined || lasting.includes(one));
    lasting = findings;
    const isStill = stateOf(instance) === before && !isAnyAtWork(instance);
    const limit = isStill ? REAPING_MS : MOST_MS;
    const isSettled = findings.length === 0 || (isStill && !seen.hasEnded);
    if (isSettled || host.nowMs() - begun >= limit) return { ...seen, findings };
    await host.sleep(POLL_MS);
  }
}

/** Returns the texts of all records and claims, by which one moment differs from another. */
function stateOf(instance: Instance): string {
  const { host, paths } = instance;
  const records = listRecorded(instance).map((uuid) => [
    uuid,
    host.readText(guestPaths(paths, uuid).record) ?? "",
  ]);
  return JSON.stringify([records, registryOf(instance).listAll()]);
}

function isAnyAtWork(instance: Instance): boolean {
  return listRecorded(instance).some((uuid) => isAtWork(instance, uuid));
}
