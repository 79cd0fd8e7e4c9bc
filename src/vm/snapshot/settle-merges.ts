import * as v from "valibot";
import { asSvirtError, SvirtError } from "../../errors.ts";
import { withHeld, withUnusedFile } from "../../labelling/free-file.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { folderOf } from "../../plan/folder-of.ts";
import { refuseWritten } from "../../resolve/places/writable-places.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { tryLock, withGuestLock, withRegistryLock } from "../../state/locks.ts";
import { isRunning, readRecord, writeEnding } from "../../state/record.ts";
import { reasonOf } from "../../state/shutoff-reason.ts";
import {
  listSnapshotMerges,
  readSnapshotMerge,
  removeSnapshotMerge,
  type SnapshotMerge,
  writeSnapshotMerge,
} from "../../state/snapshots/snapshot-merge.ts";
import { readSnapshots, writeSnapshots } from "../../state/snapshots/snapshots.ts";
import { withFinishedJobs } from "../block/jobs.ts";
import { endGracefully } from "../end/end-gracefully.ts";
import { endGuest } from "../end/end-guest.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { settleDomain } from "../object-change/settle.ts";
import { refuseNeeded } from "../volume/refuse-needed.ts";
import { refuseUnknown } from "../volume/unused-volume.ts";
import { mergedTree } from "./merged-tree.ts";

/** Finishes or undoes the deletions of snapshots during which svirt was killed. Returns the errors. */
export async function settleMerges(instance: Instance): Promise<readonly SvirtError[]> {
  const errors: SvirtError[] = [];
  for (const uuid of listSnapshotMerges(instance)) {
    try {
      const release = await tryLock(instance, uuid, "merge");
      // Another svirt is at work on it.
      if (release === undefined) continue;
      try {
        await settleMerge(instance, uuid);
      } finally {
        release();
      }
    } catch (error) {
      errors.push(asSvirtError(error));
    }
  }
  return errors;
}

/**
 * Ends a guest started for a merge, and completes the merge if all overlays are committed. A merge before its
 * begin is undone. Any other stays: its snapshot can be deleted again, without reverts to it. The caller
 * holds the lock of merges. Returns the remaining files, with reasons.
 */
export async function settleMerge(instance: Instance, uuid: string): Promise<readonly string[]> {
  const found = readSnapshotMerge(instance, uuid);
  if (found === undefined) return [];
  if (found.starts === true) await endStarted(instance, uuid);
  // The end of a job notes that its overlay is merged.
  const { starts, ...merge } = readSnapshotMerge(instance, uuid) ?? found;
  if (merge.disks.every(({ isMerged }) => isMerged === true) && merge.isBegun === true)
    return await completeMerge(instance, uuid, merge);
  const isStored = readSnapshots(instance, uuid).snapshots.some(({ name }) => name === merge.name);
  if (merge.isBegun !== true || !isStored) removeSnapshotMerge(instance, uuid);
  // A guest that a client starts paused from now on is not of this merge.
  else if (starts === true) writeSnapshotMerge(instance, uuid, merge);
  return [];
}

/** Removes the snapshot, and then its files that nothing needs. May be repeated. */
async function completeMerge(
  instance: Instance,
  uuid: string,
  { disks, memory, name }: SnapshotMerge,
): Promise<readonly string[]> {
  await withRegistryLock(instance, async () => {
    await settleDomain(instance, uuid);
    const tree = readSnapshots(instance, uuid);
    if (tree.snapshots.some((one) => one.name === name))
      writeSnapshots(instance, uuid, mergedTree(tree, name, disks));
  });
  const left: string[] = [];
  const files = disks.map(({ overlay }) => overlay);
  for (const file of memory === undefined ? files : [...files, memory]) {
    try {
      await removeUnneeded(instance, file);
    } catch (error) {
      const { kind, message } = asSvirtError(error);
      if (kind !== "not-found") left.push(`${file.path} stays: ${message}`);
    }
  }
  removeSnapshotMerge(instance, uuid);
  return left;
}

/**
 * Removes a file of a deleted snapshot. Throws "in-use" if anything still needs it, "denied" for another file
 * at its path, "timeout" if a server does not answer that has it, or may have an image above it.
 */
async function removeUnneeded(instance: Instance, file: FileId): Promise<void> {
  const { path } = file;
  const attempt = "delete";
  // Asked again: the merge may have taken hours, or another call may have made it.
  await refuseSilentPaths(instance.host, [path]);
  await refuseUnknown(instance, `delete ${path}`);
  await withHeld(instance, [path], (held) =>
    withUnusedFile(instance, { attempt, held, path }, ({ facts }) => {
      const { id } = facts;
      if (facts.type !== "file" || id.path !== path || fileKey(id) !== fileKey(file)) throw replaced(path);
      refuseWritten(instance.host, facts);
      const pass = { isLocked: true, followed: undefined };
      const folder = instance.host.inspectFile(folderOf(path));
      refuseNeeded(instance, { attempt: `delete ${path}`, file: id, pass }, folder);
      instance.host.removeSame(id);
    }),
  );
}

const status = v.object({ status: v.string() });

/**
 * Ends a guest started by svirt for a merge, after the results of its jobs are applied. A guest with vCPUs in
 * use is not ended: a client has resumed or started it. A guest with an ended QEMU is cleaned up here: a
 * later call would start it again if its XML has so.
 */
async function endStarted(instance: Instance, uuid: string): Promise<void> {
  const guest = readRecord(instance, uuid);
  if (guest === undefined) return;
  if (isRunning(instance, guest)) await withFinishedJobs(instance, uuid, async () => undefined);
  await withGuestLock(instance, uuid, async () => {
    const now = readRecord(instance, uuid);
    if (now === undefined) return;
    if (!isRunning(instance, now)) return await endGuest(instance, now, { reason: reasonOf(instance, now) });
    const asked = await withMonitor(instance, uuid, (monitor) => monitor.execute("query-status"));
    // The state until vCPUs run for the first time. qemu.git qapi/run-state.json RunState
    if (v.parse(status, asked).status !== "prelaunch") return;
    const ending = { ...now, intent: "destroy" } as const;
    writeEnding(instance, ending);
    await endGracefully(instance, ending);
    await endGuest(instance, ending, { reason: "destroyed" });
  });
}

function replaced(path: string): SvirtError {
  return new SvirtError(`Cannot delete ${path}: another file took its name meanwhile`, {
    kind: "denied",
    remedy: "See whose it is: svirt vol-list POOL --details",
  });
}
