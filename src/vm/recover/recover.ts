import { asSvirtError, type SvirtError } from "../../errors.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { removeStrayOverlays } from "../../resolve/transient-disks.ts";
import { slowWithin } from "../../run/limit-slow-calls.ts";
import { lockWithin } from "../../run/lock-within.ts";
import { withinTime } from "../../run/monitor/limit-conversations.ts";
import { readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { forgetJob, hasJobNote } from "../../state/jobs.ts";
import { withFreeGuest, withGuestLock } from "../../state/locks.ts";
import {
  listPendingRestarts,
  type PendingRestart,
  readPendingRestart,
  removePendingRestart,
} from "../../state/pending-restart.ts";
import { type GuestRecord, isRunning, readRecord, readRecords } from "../../state/record.ts";
import { reasonOf } from "../../state/shutoff-reason.ts";
import { isForMerge, listSnapshotMerges } from "../../state/snapshots/snapshot-merge.ts";
import { endGuest, planEnd } from "../end/end-guest.ts";
import { startDefinition, startDomain } from "../start/start.ts";

/** Longest time of a reaper's cleanup of an ended guest. */
const CLEARING_MS = 3000;
const POLL_MS = 10;

/**
 * The guests concerned by slow work, and the time limit for all queries of QEMUs, for the agents of all
 * frozen guests, for all unmounting, and for all already killed processes. Without `askMs`, each has its own
 * limit.
 */
export interface RecoverOptions {
  isConcerned?(guest: {
    readonly id?: number | undefined;
    readonly name: string;
    readonly uuid: string;
  }): boolean;
  readonly askMs?: number;
  /** Leaves devices requested from guests to calls about these guests: a guest may keep a device for ever. */
  readonly leavesAsked?: boolean;
}

/** Result of a recovery. */
export interface Recovery {
  readonly running: readonly GuestRecord[];
  /** Names of the guests that were cleaned up or started again. */
  readonly recovered: readonly string[];
  /**
   * Commands whose changes of networks, devices and definitions were finished or undone, such as
   * `net-start lan`.
   */
  readonly settled: readonly string[];
  readonly errors: readonly SvirtError[];
  /** Files left with the label of an ended guest, and the reason: a sentence per file. */
  readonly kept: readonly string[];
}

/**
 * Finishes or undoes the work left by a killed svirt, a killed reaper or a reboot. Every call about guests
 * begins with it; without unfinished work it only reads. A guest being started by another svirt is left to
 * its process. Slow work is done only for the concerned guests. Waits, for a limited time, for a guest being
 * cleaned up, for example by its reaper. Starts a guest with a pending restart. Changes are finished
 * concurrently, since they need queries of QEMU. Never throws for a single guest: its error is in the result.
 */
export async function recoverAll(
  instance: Instance,
  { askMs, isConcerned = () => true, leavesAsked = false }: RecoverOptions = {},
): Promise<Recovery> {
  const recovered: string[] = [];
  const errors: SvirtError[] = [];
  const kept: string[] = [];
  // With a time limit, recoverBefore() has settled those that the call concerns.
  const settled = askMs === undefined ? await settleObjects(instance, errors) : [];
  const guests = readRecords(instance, (error) => errors.push(error));
  const running = guests.filter((guest) => isRunning(instance, guest));
  const until = instance.host.nowMs() + CLEARING_MS;
  const clearing = askMs === undefined ? instance.host : slowWithin(instance.host, askMs);
  const endingUntilMs = askMs === undefined ? undefined : instance.host.nowMs() + askMs;
  const onKept = (notice: string): void => void kept.push(notice);
  for (const guest of guests) {
    if (running.includes(guest) || !(await isLeft(instance, guest, isConcerned(guest) ? until : 0))) continue;
    await attempt(errors, async () => {
      await clearGuest({ ...instance, host: clearing }, guest.uuid, { endingUntilMs, onKept });
      await restartPending(instance, guest.uuid);
    });
    recovered.push(guest.name);
  }
  const concerned = running.filter(isConcerned);
  const inTime = (): Instance =>
    askMs === undefined
      ? instance
      : { ...instance, host: slowWithin(withinTime(instance.host, askMs), askMs) };
  const asking = inTime();
  const work = (asks: Instance, guest: GuestRecord): Promise<void> => recoverWork(asks, guest, leavesAsked);
  await Promise.all(
    concerned.map(async (guest) => {
      if (guest.frozen !== true) return await attempt(errors, () => work(asking, guest));
      await attempt(errors, () => thawGuest(asking, guest, askMs));
      // QEMU has its own time: a silent agent must not use it up.
      await attempt(errors, () => work(inTime(), guest));
    }),
  );
  const ended = concerned.filter(
    (guest) => guest.change?.ends !== undefined && !isStillThere(instance, guest),
  );
  recovered.push(...ended.map(({ name }) => name));
  await attempt(errors, () => removeStrayOverlays(instance));
  if (listSnapshotMerges(instance).length > 0) {
    const { settleMerges } = await import("../snapshot/settle-merges.ts");
    errors.push(...(await settleMerges(inTime())));
  }
  for (const pending of listPendingRestarts(instance).filter(isConcerned)) {
    await attempt(errors, async () => await restart(instance, pending));
    recovered.push(pending.name);
  }
  return { running: running.filter((guest) => !ended.includes(guest)), recovered, settled, errors, kept };
}

/**
 * Finishes or undoes interrupted changes of objects that are no guests, and removes parts of volumes. They
 * come first: a guest that is started again may need a network.
 */
async function settleObjects(instance: Instance, errors: SvirtError[]): Promise<readonly string[]> {
  const { settleChanges } = await import("../object-change/settle.ts");
  const settled = await settleChanges(instance);
  const { removePoolParts } = await import("../volume/left/parts.ts");
  errors.push(...settled.errors, ...(await removePoolParts(instance)));
  const { removeOverNotes } = await import("../volume/left/work.ts");
  await attempt(errors, async () => await removeOverNotes(instance));
  const { removeLeftDrafts } = await import("../pool/iscsi/left-drafts.ts");
  await attempt(errors, async () => removeLeftDrafts(instance));
  return settled.names;
}

/**
 * Returns whether a guest that a change was to end still runs: the change was undone, or another svirt works
 * on it.
 */
function isStillThere(instance: Instance, { uuid }: GuestRecord): boolean {
  const now = readRecord(instance, uuid);
  return now !== undefined && isRunning(instance, now);
}

/**
 * Reports whether no other svirt works on the guest. Waits until `until` for a svirt at its end, but not for
 * a start.
 */
async function isLeft(instance: Instance, guest: GuestRecord, until: number): Promise<boolean> {
  const { lock } = guestPaths(instance.paths, guest.uuid);
  while (instance.host.isLocked(lock)) {
    if (guest.state === "starting" || instance.host.nowMs() >= until) return false;
    await instance.host.sleep(POLL_MS);
  }
  return true;
}

/** Cleans up an ended guest, and starts it again on request. Its reaper calls this. */
export async function recoverGuest(instance: Instance, uuid: string): Promise<void> {
  await clearGuest(instance, uuid, {});
  await restartPending(instance, uuid);
}

/**
 * Returns the steps by which recoverGuest() ends a guest, and changes nothing; none if the guest runs or is
 * off. A start after it has steps of its own.
 */
export function planReaping(instance: Instance, uuid: string): readonly Step[] {
  const guest = readEnded(instance, uuid);
  return guest === undefined ? [] : planEnd(guest);
}

/** Returns the record of a guest whose QEMU has ended. */
function readEnded(instance: Instance, uuid: string): GuestRecord | undefined {
  const guest = readRecord(instance, uuid);
  return guest === undefined || isRunning(instance, guest) ? undefined : guest;
}

async function clearGuest(
  instance: Instance,
  uuid: string,
  how: Pick<Parameters<typeof endGuest>[2], "endingUntilMs" | "onKept">,
): Promise<void> {
  await withGuestLock(instance, uuid, async () => {
    const guest = readEnded(instance, uuid);
    if (guest === undefined) return;
    const reason = reasonOf(instance, guest);
    // A guest that svirt has started to merge a snapshot was off before.
    const restart = wantsRestart(guest, reason) && !isForMerge(instance, uuid);
    await endGuest(instance, guest, { reason, restart, ...how });
  });
}

async function restartPending(instance: Instance, uuid: string): Promise<void> {
  const pending = readPendingRestart(instance, uuid);
  if (pending !== undefined) await restart(instance, pending);
}

/**
 * Thaws a guest whose file systems a killed svirt has left frozen. `askMs` limits the wait for other calls to
 * its agent.
 */
async function thawGuest(
  instance: Instance,
  { uuid }: GuestRecord,
  askMs: number | undefined,
): Promise<void> {
  const { thawLeft } = await import("../guest-system/quiet-guest.ts");
  const host = askMs === undefined ? instance.host : lockWithin(instance.host, askMs);
  await thawLeft({ ...instance, host }, uuid);
}

/**
 * Recovers a running guest's change and jobs. A change in the hands of another svirt is left to its process.
 */
async function recoverWork(
  instance: Instance,
  { asked, change, jobs = [], uuid }: GuestRecord,
  leavesAsked: boolean,
): Promise<void> {
  const isAsked = asked !== undefined && !leavesAsked;
  const isNoted = !leavesAsked && hasJobNote(instance, uuid);
  if (!isAsked && !isNoted && change === undefined && jobs.length === 0) return;
  // Imported only if there is unfinished work, which is rare.
  const { finishJobs } = await import("../block/finish-jobs.ts");
  const { recoverChange } = await import("../change/change-idle-guest.ts");
  await withFreeGuest(instance, uuid, async () => {
    const guest = readRecord(instance, uuid);
    if (guest === undefined || !isRunning(instance, guest)) return;
    await recoverChange(instance, guest);
    if (isNoted) forgetJob(instance, uuid);
    if (isAsked) {
      const { detachReleased } = await import("../change/detach-released.ts");
      await detachReleased(instance, uuid);
    }
    await finishJobs(instance, uuid);
  });
}

function wantsRestart(guest: GuestRecord, reason: string): boolean {
  if (reason === "shutdown") return guest.intent === "reboot" || guest.onPoweroff === "restart";
  return reason === "crashed" && guest.onCrash === "restart";
}

/**
 * Starts a guest with its current definition. The request is dropped after a single attempt: a failing guest
 * must not retry forever.
 */
async function restart(instance: Instance, pending: PendingRestart): Promise<void> {
  const definition = readDefinition(instance, pending.name);
  try {
    if (definition?.uuid === pending.uuid) await startDefinition(instance, definition);
    else await startDomain(instance, new TextEncoder().encode(pending.xml));
  } finally {
    removePendingRestart(instance, pending.uuid);
  }
}

async function attempt(errors: SvirtError[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    errors.push(asSvirtError(error));
  }
}
