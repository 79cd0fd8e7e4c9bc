import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { ProcessFacts, ProcessId } from "../../host/processes.ts";
import { isGuestUser } from "../../plan/facts/guest-user.ts";

// Rule: A guest gets SIGTERM first, and SIGKILL after a grace.

const POLL_MS = 10;
const KILL_TIMEOUT_MS = 15_000;
/** Argument of every reaper. */
export const REAPER = "svirt-reaper";
/** Arguments of a reaper, and of its child before the child's change into QEMU. */
const REAPER_WORDS = [REAPER, "--reuid"];

/**
 * Identity of a guest. Its UUID is in its reaper's arguments, and its user is unique, except in a session.
 */
export interface GuestIdentity {
  readonly uuid: string;
  readonly uid: number;
  /** Context of this guest only; absent: it is not confined. */
  readonly context?: string;
  /** QEMU in this boot, once it runs; known for an end. */
  readonly process?: ProcessId;
}

/** Times for the end of a guest. */
interface KillLimits {
  /** Time between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly endingUntilMs?: number | undefined;
}

/**
 * Returns the processes that run as the guest: QEMU. Listing them by user misses none, even if the record
 * lacks it.
 */
export function listGuestProcesses(host: Host, guest: GuestIdentity): ProcessFacts[] {
  const all = host.listProcesses(guest.uid);
  return isGuestUser(guest.uid) ? [...all] : ofSession(host, guest, all);
}

/**
 * Selects a guest's processes among all of a session's user: processes in the guest's context, locked into
 * it; children of its reaper, out of reach of its signals; and processes with its UUID, before they get its
 * context. The recorded process counts without them: its reaper may be gone, and it has no arguments once its
 * main thread has ended.
 */
function ofSession(host: Host, guest: GuestIdentity, all: readonly ProcessFacts[]): ProcessFacts[] {
  const reapers = new Set(listReapers(host, guest).map(({ pid }) => pid));
  return all.filter(({ context, parentPid, pid, startTicks }) => {
    if (reapers.has(pid)) return false;
    if (pid === guest.process?.pid && startTicks === guest.process.startTicks) return true;
    const isConfined = guest.context !== undefined && context === guest.context;
    return isConfined || reapers.has(parentPid) || hasUuid(host.getCommandLine(pid), guest.uuid);
  });
}

/** Reports whether the arguments have the UUID as QEMU's `-uuid`. */
function hasUuid(words: readonly string[], uuid: string): boolean {
  return words.some((word, at) => word === "-uuid" && words[at + 1] === uuid);
}

/**
 * Ends the guest and waits until all its processes have ended: SIGTERM first, SIGKILL after the grace. Its
 * reaper ends by itself after writing the guest's exit status. A reaper not yet QEMU's parent, or a stopped
 * reaper, is killed with the rest. A forking guest escapes any list of processes. So all of its user's
 * processes are killed in a single call, after no reaper is left to start any. Only then does an empty list
 * count. Throws "timeout" when the kernel does not end the processes. Until `endingUntilMs` of the host's
 * clock, if given, it waits for already killed processes.
 */
export async function killGuest(
  host: Host,
  guest: GuestIdentity,
  { endingUntilMs = Number.POSITIVE_INFINITY, graceMs }: KillLimits,
): Promise<void> {
  const started = host.nowMs();
  const asked = new Set<number>();
  let isSwept = !isGuestUser(guest.uid);
  let progress: Progress | undefined;
  for (;;) {
    const guests = listGuestProcesses(host, guest);
    const reapers = listReapers(host, guest);
    const left = [...guests, ...reapers];
    if (left.length === 0 && isSwept) return;
    if (isEnding(left) && host.nowMs() > endingUntilMs) throw stuck(guest, left);
    // A guest with many processes may occupy all processors: then a single listing takes longer than the
    // grace.
    if (left.length > 0 && host.nowMs() - started <= graceMs) {
      askToEnd(host, guests, asked);
    } else {
      progress = await sweep(host, guest, { left, progress });
      isSwept ||= reapers.length === 0;
    }
    if (left.length > 0) await host.sleep(POLL_MS);
  }
}

function isEnding(left: readonly ProcessFacts[]): boolean {
  return left.length > 0 && left.every((process) => process.isEnding === true);
}

/** Fewest remaining processes since the guest was killed, and when that number was reached. */
interface Progress {
  readonly fewest: number;
  readonly sinceMs: number;
}

/**
 * Kills all processes of the guest. Throws "timeout" when none has ended for KILL_TIMEOUT_MS: thousands of
 * killed processes may need minutes of a busy processor to end.
 */
async function sweep(
  host: Host,
  guest: GuestIdentity,
  { left, progress }: { readonly left: readonly ProcessFacts[]; readonly progress: Progress | undefined },
): Promise<Progress> {
  const nowMs = host.nowMs();
  const isFewer = progress === undefined || left.length < progress.fewest;
  const now = isFewer ? { fewest: left.length, sinceMs: nowMs } : progress;
  if (left.length > 0 && nowMs - now.sinceMs > KILL_TIMEOUT_MS) throw stuck(guest, left);
  if (isGuestUser(guest.uid)) await host.killUser(guest.uid);
  for (const process of left) host.signalProcess(process, "SIGKILL");
  return now;
}

/** Sends SIGTERM once to each process: QEMU treats a repeated SIGTERM as a request to hurry. */
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
  return new SvirtError(`Cannot end guest ${guest.uuid}: the kernel does not end process ${pids}`, {
    kind: "timeout",
    remedy: "Repair the device that the process waits for (/proc/PID/stack), then run: svirt recover",
  });
}
