import { joinErrors, SvirtError } from "../../errors.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { readSnapshotMerge, writeSnapshotMerge } from "../../state/snapshots/snapshot-merge.ts";
import type { StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import { endBlockJob, startBlockJob } from "../block/jobs.ts";
import { waitForJob } from "../block/wait-for-job.ts";
import { isRefused } from "../change/finish-change.ts";
import { findDomain, findRunning } from "../guest/find-domain.ts";
import { startDefinition } from "../start/start.ts";
import { type Deletion, decideDeletion, needsQemu, planMerges, requestOf } from "./decide-merges.ts";
import type { DeletedSnapshots } from "./delete-snapshot.ts";
import { withMergeLock } from "./merge-lock.ts";
import type { PlannedMerge } from "./plan-merge.ts";
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
    const decided = await decideDeletion(instance, uuid, { name, which });
    if (decided === undefined) return [];
    const left = await mergeAndSettle(instance, uuid, decided);
    return [...left, ...decided.left];
  });
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

/** Merges the overlays of a running guest. Jobs of an interrupted call are completed. */
async function mergeDisks(instance: Instance, uuid: string, snapshot: StoredSnapshot): Promise<void> {
  const merge = readSnapshotMerge(instance, uuid) ?? { name: snapshot.name, disks: [] };
  const planned = needsQemu({ merge, snapshot })
    ? await planMerges(instance, findRunning(instance, uuid).guest, { merge, snapshot })
    : [];
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

function failed(target: string): SvirtError {
  return new SvirtError(
    `internal error: block commit failed while deleting disk '${target}' snapshot: QEMU has not committed the overlay`,
    {
      kind: "failed",
      remedy: "See QEMU's log in /var/log/svirt; the guest's data is whole: delete the snapshot again.",
    },
  );
}
