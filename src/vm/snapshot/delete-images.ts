import { joinErrors, SvirtError } from "../../errors.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { hasManagedSave } from "../../state/managed-save.ts";
import {
  readSnapshotMerge,
  refuseMerging,
  type SnapshotMerge,
  writeSnapshotMerge,
} from "../../state/snapshots/snapshot-merge.ts";
import type { StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import { commitLive } from "../block/commit.ts";
import { endBlockJob, startBlockJob } from "../block/jobs.ts";
import { waitForJob } from "../block/wait-for-job.ts";
import type { ChangeRequest } from "../change/change-guest.ts";
import { isRefused } from "../change/finish-change.ts";
import { findDomain, findRunning } from "../guest/find-domain.ts";
import { startDefinition } from "../start/start.ts";
import { refuseUnknown } from "../volume/unused-volume.ts";
import type { DeletedSnapshots } from "./delete-snapshot.ts";
import { findSnapshots, snapshotIn } from "./find-snapshot.ts";
import { findMemory } from "./memory-of-deleted.ts";
import { besideJob, withMergeLock } from "./merge-lock.ts";
import { listExternal, listPlannedPaths, type PlannedMerge, planMerge } from "./plan-merge.ts";
import { refuseDelete } from "./refuse-delete.ts";
import { refuseSharedBase } from "./refuse-shared-base.ts";
import { settleMerge } from "./settle-merges.ts";

/**
 * Deletes a snapshot of disks: merges its overlays into the images below, removes its data, and then unneeded
 * overlays and memory. QEMU merges; for an inactive domain svirt starts the guest paused, and ends it.
 * Returns the remaining files, with reasons. If svirt is killed, the next call finishes or undoes the
 * deletion, or the snapshot can only be deleted again. Throws "not-found", libvirt's refusals, "in-use" if
 * anything else needs the images, and the errors of the start and of QEMU. qemuSnapshotDelete() of libvirt
 */
export async function deleteWithImages(
  instance: Instance,
  key: string,
  { name, which }: { readonly name: string; readonly which: DeletedSnapshots["which"] },
): Promise<readonly string[]> {
  const { uuid } = findDomain(instance, key);
  return await withMergeLock(instance, uuid, async () => {
    const before = readSnapshotMerge(instance, uuid);
    if (before !== undefined) await settleMerge(instance, uuid);
    const { domain, tree } = findSnapshots(instance, uuid);
    const snapshot = snapshotIn(tree, name);
    refuseDelete(tree, name, which);
    // Nothing is below it.
    if (which === "children") return [];
    const begun = readSnapshotMerge(instance, uuid);
    if (begun !== undefined) refuseOther(instance, uuid, { begun, name });
    if (domain.guest === undefined && hasManagedSave(instance, domain.name)) throw saveRefusal(domain.name);
    const memory = await findMemory(instance, uuid, snapshot);
    const { memory: _, ...merge } = begun ?? { name, disks: [] };
    const found = memory.file === undefined ? {} : { memory: memory.file };
    const left = await mergeAndSettle(instance, uuid, { merge: { ...merge, ...found }, snapshot });
    return [...left, ...memory.left];
  });
}

interface Deletion {
  readonly merge: SnapshotMerge;
  readonly snapshot: StoredSnapshot;
}

async function mergeAndSettle(
  instance: Instance,
  uuid: string,
  { merge, snapshot }: Deletion,
): Promise<readonly string[]> {
  const { definition, guest } = findDomain(instance, uuid);
  const { starts: _, ...rest } = merge;
  const starts = guest === undefined && definition !== undefined && needsQemu({ merge, snapshot });
  writeSnapshotMerge(instance, uuid, starts ? { ...rest, starts } : rest);
  try {
    if (starts && !(await startDefinition(instance, definition, { isPaused: true })).did)
      writeSnapshotMerge(instance, uuid, rest);
    await mergeDisks(instance, uuid, snapshot);
  } catch (error) {
    await settleAfter(instance, uuid, error);
    throw error;
  }
  return await settleMerge(instance, uuid);
}

/** Ends the guest of a failed merge. Another error joins the first. */
async function settleAfter(instance: Instance, uuid: string, error: unknown): Promise<void> {
  try {
    await settleMerge(instance, uuid);
  } catch (later) {
    throw joinErrors(error, [later]);
  }
}

/** Whether overlays are left to merge. */
function needsQemu({ merge, snapshot }: Deletion): boolean {
  const merged = new Set(merge.disks.filter(({ isMerged }) => isMerged === true).map(({ target }) => target));
  return listExternal(snapshot).some(({ name }) => !merged.has(name));
}

/** Merges the overlays of a running guest. Jobs of an interrupted call are completed. */
async function mergeDisks(instance: Instance, uuid: string, snapshot: StoredSnapshot): Promise<void> {
  const merge = readSnapshotMerge(instance, uuid) ?? { name: snapshot.name, disks: [] };
  const planned = needsQemu({ merge, snapshot }) ? await planMerges(instance, uuid, { merge, snapshot }) : [];
  const isNew = ({ target }: { readonly target: string }): boolean =>
    planned.every(({ disk }) => disk.target !== target);
  const disks = [...merge.disks.filter(isNew), ...planned.map(({ disk }) => disk)];
  writeSnapshotMerge(instance, uuid, { ...merge, isBegun: true, disks });
  let hasJobs = false;
  try {
    for (const one of planned) await startMerge(instance, uuid, { one, onJob: () => (hasJobs = true) });
    for (const { target } of disks) await waitForMerge(instance, uuid, target);
    for (const { target } of disks) await concludeMerge(instance, uuid, target);
  } catch (error) {
    if (!hasJobs && merge.isBegun !== true) writeSnapshotMerge(instance, uuid, merge);
    await abortMerges(instance, uuid);
    throw error;
  }
}

/**
 * Starts the commit of an overlay. Calls `onJob` unless QEMU certainly has not begun: an undone commit may
 * have written some data.
 */
async function startMerge(
  instance: Instance,
  uuid: string,
  { one, onJob }: { readonly one: PlannedMerge; onJob(): void },
): Promise<void> {
  let isAsked = false;
  const observer: StepObserver = (_, step) => {
    isAsked ||= step.do === "start-job";
  };
  try {
    await startBlockJob(instance, uuid, { request: requestOf(instance, one), observer });
  } catch (error) {
    if (isAsked && !isRefused(error)) onJob();
    throw error;
  }
  onJob();
}

/** Plans the merges that have neither begun nor ended. Throws before anything changes. */
async function planMerges(
  instance: Instance,
  uuid: string,
  { merge, snapshot }: Deletion,
): Promise<readonly PlannedMerge[]> {
  const { guest } = findRunning(instance, uuid);
  const jobs = guest.jobs ?? [];
  const known = new Set(merge.disks.map(({ target }) => target));
  if (jobs.some(({ disk, merges }) => merges !== true || !known.has(disk)))
    throw besideJob(`Wait until the job has ended, or abort it: svirt blockjob ${guest.name} DISK --abort`);
  const merged = merge.disks.filter(({ isMerged }) => isMerged === true);
  const done = new Set([...merged.map(({ target }) => target), ...jobs.map(({ disk }) => disk)]);
  await refuseSilentPaths(instance.host, listPlannedPaths(guest, snapshot));
  const planned = listExternal(snapshot)
    .filter(({ name }) => !done.has(name))
    .map((disk) => planMerge(instance, guest, { disk, snapshot }));
  await refuseUnknown(instance, `delete the snapshot ${snapshot.name}`);
  const check = (isLocked: boolean): void => {
    for (const { images } of planned)
      refuseSharedBase(instance, images, { isLocked, followed: isLocked ? undefined : new Set() });
  };
  // First without the lock: a server that does not answer then delays this call alone.
  check(false);
  await withRegistryLock(instance, async () => check(true));
  return planned;
}

/** Returns the commit of an overlay. It is refused if the base has got another user since it was planned. */
function requestOf(instance: Instance, { commit, disk, images }: PlannedMerge): ChangeRequest {
  const request = commitLive(instance, commit);
  return {
    ...request,
    decide: (guest) => {
      refuseSharedBase(instance, images, { isLocked: true, followed: undefined });
      const decided = request.decide(guest);
      const jobs = (decided.jobs ?? []).map((job) =>
        job.disk === disk.target ? { ...job, merges: true as const } : job,
      );
      return { ...decided, jobs };
    },
  };
}

/** Waits until QEMU has committed an overlay. Throws "failed" with libvirt's message. */
async function waitForMerge(instance: Instance, uuid: string, target: string): Promise<void> {
  if (!hasJob(instance, uuid, target)) return;
  const wait = { path: target, timeoutMs: undefined, onProgress: () => undefined };
  if ((await waitForJob(instance, uuid, wait)) === "failed") throw failed(target);
}

/**
 * Gives the guest the image below, if the overlay was its own image. Throws "failed" unless the overlay is
 * merged then.
 */
async function concludeMerge(instance: Instance, uuid: string, target: string): Promise<void> {
  if (hasJob(instance, uuid, target)) await endBlockJob(instance, uuid, { path: target, end: "pivot" });
  const merge = readSnapshotMerge(instance, uuid);
  if (merge?.disks.find((disk) => disk.target === target)?.isMerged !== true) throw failed(target);
}

/** Aborts the jobs of a deletion that failed. An error is left to the next call. */
async function abortMerges(instance: Instance, uuid: string): Promise<void> {
  const jobs = findDomain(instance, uuid).guest?.jobs ?? [];
  for (const { disk, merges } of jobs) {
    if (merges !== true) continue;
    try {
      await endBlockJob(instance, uuid, { path: disk, end: "abort" });
    } catch (error) {
      if (!(error instanceof SvirtError)) throw error;
    }
  }
}

function hasJob(instance: Instance, uuid: string, target: string): boolean {
  const jobs = findDomain(instance, uuid).guest?.jobs ?? [];
  return jobs.some(({ disk, merges }) => disk === target && merges === true);
}

/** Throws "wrong-state" if the merge of another snapshot is unfinished. */
function refuseOther(
  instance: Instance,
  uuid: string,
  { begun, name }: { readonly begun: SnapshotMerge; readonly name: string },
): void {
  if (begun.name !== name) refuseMerging(instance, uuid, begun.name);
}

function failed(target: string): SvirtError {
  return new SvirtError(
    `internal error: block commit failed while deleting disk '${target}' snapshot: QEMU has not committed the overlay`,
    {
      kind: "failed",
      remedy: "See QEMU's log in /var/log/svirt; the guest's data is whole: delete the snapshot again.",
    },
  );
}

function saveRefusal(name: string): SvirtError {
  return new SvirtError(
    `Requested operation is not valid: the saved state of '${name}' needs the images of its disks`,
    { kind: "wrong-state", remedy: `Remove it, or start the domain: svirt managedsave-remove ${name}` },
  );
}
