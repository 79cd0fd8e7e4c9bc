import { SvirtError } from "../../errors.ts";
import type { Host, ProcessFacts } from "../../host/host.ts";
import { isGuestUser } from "../../plan/facts/guest-user.ts";

const POLL_MS = 10;
const KILL_TIMEOUT_MS = 15_000;
/** The name under which the reaper is found by its words. */
export const REAPER = "svirt-reaper";
/** With what the process has in its words that the reaper is about to turn into QEMU. */
const REAPER_WORDS = [REAPER, "--reuid"];

/** Which guest: its UUID stands in the reaper's words, and its user is nobody else's, but in a session. */
export interface GuestIdentity {
  readonly uuid: string;
  readonly uid: number;
  /** Nobody else runs in it; absent: it is not confined. */
  readonly context?: string;
}

/** The processes that run as the guest: QEMU. Found by user, so that none is missed whatever the record knows. */
export function listGuestProcesses(host: Host, guest: GuestIdentity): ProcessFacts[] {
  const all = host.listProcesses(guest.uid);
  return isGuestUser(guest.uid) ? [...all] : ofSession(host, guest, all);
}

/**
 * Of a user's processes those in the guest's own context, which it cannot leave; those whose parent is the guest's reaper,
 * which it cannot touch; and those that were begun as that guest, before they are in its context.
 */
function ofSession(host: Host, guest: GuestIdentity, all: readonly ProcessFacts[]): ProcessFacts[] {
  const reapers = new Set(listReapers(host, guest).map(({ pid }) => pid));
  return all.filter(({ context, parentPid, pid }) => {
    if (reapers.has(pid)) return false;
    const isConfined = guest.context !== undefined && context === guest.context;
    return isConfined || reapers.has(parentPid) || hasUuid(host.getCommandLine(pid), guest.uuid);
  });
}

/** As QEMU is told it. */
function hasUuid(words: readonly string[], uuid: string): boolean {
  return words.some((word, at) => word === "-uuid" && words[at + 1] === uuid);
}

/**
 * Ends the guest and waits until it is gone: SIGTERM, after the grace SIGKILL. Its reaper ends by itself, once it has
 * written how the guest ended; one that has not yet become QEMU's parent, or was stopped, is killed with the rest.
 * A guest that is another process each moment is missed by any list: so all of its user is killed in one call, once
 * no reaper is left that could begin it, before the list is believed. Throws "timeout" when the kernel does not let go of it.
 */
export async function killGuest(host: Host, guest: GuestIdentity, graceMs: number): Promise<void> {
  const started = host.nowMs();
  const asked = new Set<number>();
  let isSwept = !isGuestUser(guest.uid);
  let progress: Progress | undefined;
  for (;;) {
    const guests = listGuestProcesses(host, guest);
    const reapers = listReapers(host, guest);
    const left = [...guests, ...reapers];
    if (left.length === 0 && isSwept) return;
    // A guest of many processes may have the processors to itself: then one look takes longer than all of this.
    if (left.length > 0 && host.nowMs() - started <= graceMs) {
      askToEnd(host, guests, asked);
    } else {
      progress = sweep(host, guest, { left, progress });
      isSwept ||= reapers.length === 0;
    }
    if (left.length > 0) await host.sleep(POLL_MS);
  }
}

/** The fewest processes that were left of a guest since it was killed, and when that was seen first. */
interface Progress {
  readonly fewest: number;
  readonly sinceMs: number;
}

/**
 * Kills all processes of the guest. Throws "timeout" when none has ended for KILL_TIMEOUT_MS: thousands of processes, each killed, may
 * need minutes of a busy processor to end.
 */
function sweep(
  host: Host,
  guest: GuestIdentity,
  { left, progress }: { readonly left: readonly ProcessFacts[]; readonly progress: Progress | undefined },
): Progress {
  const nowMs = host.nowMs();
  const isFewer = progress === undefined || left.length < progress.fewest;
  const now = isFewer ? { fewest: left.length, sinceMs: nowMs } : progress;
  if (left.length > 0 && nowMs - now.sinceMs > KILL_TIMEOUT_MS) throw stuck(guest, left);
  if (isGuestUser(guest.uid)) host.killUser(guest.uid);
  for (const process of left) host.signalProcess(process, "SIGKILL");
  return now;
}

/** Once each: QEMU takes a second SIGTERM for impatience. */
function askToEnd(host: Host, guests: readonly ProcessFacts[], asked: Set<number>): void {
  for (const process of guests) {
    if (!asked.has(process.pid)) host.signalProcess(process, "SIGTERM");
    asked.add(process.pid);
  }
}

function listReapers(host: Host, guest: GuestIdentity): ProcessFacts[] {
  return host.listProcesses(host.getUid()).filter((process) => {
    const words = host.getCommandLine(process.pid);
    return words.includes(guest.uuid) && REAPER_WORDS.some((word) => words.includes(word));
  });
}

function stuck(guest: GuestIdentity, left: readonly ProcessFacts[]): SvirtError {
  const pids = left.map((process) => process.pid).join(", ");
  return new SvirtError(`Cannot end guest ${guest.uuid}: the kernel does not let go of process ${pids}`, {
    kind: "timeout",
    remedy: "See /proc/PID/stack: it waits for a device. Mend that, then run: svirt recover",
  });
}
