import { asSvirtError, type SvirtError } from "../../errors.ts";
import { guestPaths } from "../../plan/paths.ts";
import { removeStrayOverlays } from "../../resolve/transient-disks.ts";
import { withinTime } from "../../run/monitor/within-time.ts";
import { readDefinition } from "../../state/definitions.ts";
import type { Node } from "../../state/instance.ts";
import { withFreeGuest, withGuestLock } from "../../state/locks.ts";
import {
  listPendingRestarts,
  type PendingRestart,
  readPendingRestart,
  removePendingRestart,
} from "../../state/pending-restart.ts";
import { reasonOf } from "../../state/reason.ts";
import { type GuestRecord, isRunning, readRecord, readRecords } from "../../state/record.ts";
import { clearAway } from "../end/end-guest.ts";
import { startDefinition, startDomain } from "../start/start.ts";

/** Longest time that a reaper needs to clean up a guest that has ended. */
const CLEARING_MS = 3000;
const POLL_MS = 10;

/**
 * The guests for which slow work is done, and the time limit for all queries of QEMUs. Without `askMs`, each query has its
 * own limit.
 */
export interface SweepWish {
  isConcerned?(guest: {
    readonly id?: number | undefined;
    readonly name: string;
    readonly uuid: string;
  }): boolean;
  readonly askMs?: number;
}

/** Results of a sweep, besides the guests that run. */
export interface Swept {
  readonly running: readonly GuestRecord[];
  /** Names of the guests that were cleaned up or started again. */
  readonly settled: readonly string[];
  readonly errors: readonly SvirtError[];
  /** Files that keep the label of a guest that is gone, and why: a sentence each. */
  readonly kept: readonly string[];
}

/**
 * Finishes or undoes the work that a killed svirt, a killed reaper or a reboot has left. Every call that inspects guests
 * begins with it; without unfinished work it only reads. A guest that another svirt is starting is left to that one. Slow
 * work is done only for the concerned guests. One that is being cleaned up, as by its reaper, is waited for, but not for
 * long. One with a pending restart is started. Changes are finished concurrently, since they need queries of QEMU. Never
 * throws for a single guest: its error is in the result.
 */
export async function sweep(node: Node, { askMs, isConcerned = () => true }: SweepWish = {}): Promise<Swept> {
  const settled: string[] = [];
  const errors: SvirtError[] = [];
  const kept: string[] = [];
  const guests = readRecords(node, (error) => errors.push(error));
  const running = guests.filter((guest) => isRunning(node, guest));
  const until = node.host.nowMs() + CLEARING_MS;
  for (const guest of guests) {
    if (running.includes(guest) || !(await isLeft(node, guest, isConcerned(guest) ? until : 0))) continue;
    await attempt(errors, () => settle(node, guest.uuid, (notice) => kept.push(notice)));
    settled.push(guest.name);
  }
  const concerned = running.filter(isConcerned);
  const host = askMs === undefined ? node.host : withinTime(node.host, askMs);
  await Promise.all(concerned.map((guest) => attempt(errors, () => settleRunning({ ...node, host }, guest))));
  const ended = concerned.filter((guest) => guest.change?.ends !== undefined && !isStillThere(node, guest));
  settled.push(...ended.map(({ name }) => name));
  await attempt(errors, () => removeStrayOverlays(node));
  for (const pending of listPendingRestarts(node).filter(isConcerned)) {
    await attempt(errors, () => restart(node, pending));
    settled.push(pending.name);
  }
  return { running: running.filter((guest) => !ended.includes(guest)), settled, errors, kept };
}

/** Returns whether a guest that a change was to end still runs: the change was undone, or another svirt works on it. */
function isStillThere(node: Node, { uuid }: GuestRecord): boolean {
  const now = readRecord(node, uuid);
  return now !== undefined && isRunning(node, now);
}

/** Returns whether no other svirt works on the guest, or has finished by `until`. An svirt that starts it takes longer. */
async function isLeft(node: Node, guest: GuestRecord, until: number): Promise<boolean> {
  const { lock } = guestPaths(node.paths, guest.uuid);
  while (node.host.isLocked(lock)) {
    if (guest.state === "starting" || node.host.nowMs() >= until) return false;
    await node.host.sleep(POLL_MS);
  }
  return true;
}

/** Cleans up one guest if it has ended, and starts it again if that was requested. Its reaper calls this. */
export async function settle(
  node: Node,
  uuid: string,
  onKept: (notice: string) => void = () => undefined,
): Promise<void> {
  await withGuestLock(node, uuid, async () => {
    const guest = readRecord(node, uuid);
    if (guest === undefined || isRunning(node, guest)) return;
    const reason = reasonOf(node, guest);
    await clearAway(node, guest, { reason, restart: wantsRestart(guest, reason), onKept });
  });
  const pending = readPendingRestart(node, uuid);
  if (pending !== undefined) await restart(node, pending);
}

/** Recovers a running guest's change and jobs. A change that another svirt carries out is left to that one. */
async function settleRunning(node: Node, { change, jobs = [], uuid }: GuestRecord): Promise<void> {
  if (change === undefined && jobs.length === 0) return;
  // Imported only if there is unfinished work, which is rare.
  const { settleJobs } = await import("../block/finish-jobs.ts");
  const { settleChange } = await import("../change/change-guest.ts");
  await withFreeGuest(node, uuid, async () => {
    const guest = readRecord(node, uuid);
    if (guest === undefined || !isRunning(node, guest)) return;
    await settleChange(node, guest);
    if (readRecord(node, uuid)?.change === undefined) await settleJobs(node, uuid);
  });
}

function wantsRestart(guest: GuestRecord, reason: string): boolean {
  if (reason === "shutdown") return guest.intent === "reboot" || guest.onPoweroff === "restart";
  return reason === "crashed" && guest.onCrash === "restart";
}

/**
 * Starts a guest with its current definition. The request is dropped after one attempt: a guest that cannot start must not
 * retry forever.
 */
async function restart(node: Node, pending: PendingRestart): Promise<void> {
  const definition = readDefinition(node, pending.name);
  try {
    if (definition?.uuid === pending.uuid) await startDefinition(node, definition);
    else await startDomain(node, new TextEncoder().encode(pending.xml));
  } finally {
    removePendingRestart(node, pending.uuid);
  }
}

async function attempt(errors: SvirtError[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    errors.push(asSvirtError(error));
  }
}
