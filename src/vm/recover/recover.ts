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

/** How long a reaper takes at the most to clear a guest away that has ended. */
const CLEARING_MS = 3000;
const POLL_MS = 10;

/** For which guests what takes time is done, and how long QEMUs are asked in all; without it for as long as each may take. */
export interface SweepWish {
  isConcerned?(guest: {
    readonly id?: number | undefined;
    readonly name: string;
    readonly uuid: string;
  }): boolean;
  readonly askMs?: number;
}

/** What was found on the way, besides the guests that run. */
export interface Swept {
  readonly running: readonly GuestRecord[];
  /** The names of those that were cleared away or started again. */
  readonly settled: readonly string[];
  readonly errors: readonly SvirtError[];
  /** Files that keep the label of a guest that is gone, and why: a sentence each. */
  readonly kept: readonly string[];
}

/**
 * Finishes or undoes whatever a svirt that was killed, a reaper that was killed, or a reboot has left. Every call that
 * looks at guests begins with it; with nothing left behind it only reads. A guest that another svirt starts right now is
 * left to that one. What takes time is done for the guests that are concerned alone: one that is being cleared away, as by
 * its reaper, is waited for, but not for long; one that is to start again is started; changes are finished, all at once,
 * for which QEMU has to be asked. Never throws for a single guest: its error is in the answer.
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

/** Whether a guest that was to end with a change runs on: the change was taken back, or another svirt is at it. */
function isStillThere(node: Node, { uuid }: GuestRecord): boolean {
  const now = readRecord(node, uuid);
  return now !== undefined && isRunning(node, now);
}

/** Whether no other svirt works on the guest, or has done by then; one that starts it takes longer. */
async function isLeft(node: Node, guest: GuestRecord, until: number): Promise<boolean> {
  const { lock } = guestPaths(node.paths, guest.uuid);
  while (node.host.isLocked(lock)) {
    if (guest.state === "starting" || node.host.nowMs() >= until) return false;
    await node.host.sleep(POLL_MS);
  }
  return true;
}

/** Clears one guest away if it has ended, and starts it again if that was asked for. What its reaper does. */
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

/** A change that another svirt carries out right now is left to that one. */
async function settleRunning(node: Node, { change, jobs = [], uuid }: GuestRecord): Promise<void> {
  if (change === undefined && jobs.length === 0) return;
  // Read in when there is something to settle, which is seldom.
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

/** With what the definition has become. Given up after one try: a guest that cannot start must not try for ever. */
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
