import type { SnapshotMemory } from "../../plan/facts/block-job.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { noteMerged } from "../../state/snapshots/snapshot-merge.ts";
import { keepSnapshot } from "../../state/snapshots/snapshot-tree.ts";
import { findAdopted } from "./adopted-job.ts";
import { updateDefinition } from "./follow-guest.ts";
import { xmlAfter } from "./xml-after.ts";

/**
 * Updates the definition of a guest ended during a change of its images. The outcome of a change being
 * finished is certain. For a snapshot QEMU may or may not have switched to the overlays, unseen by svirt.
 * Overlays without data are removed already; a remaining overlay has the guest's latest data, and the
 * snapshot is stored, with its memory. The caller holds the registry's lock.
 */
export function keepImages(instance: Instance, guest: GuestRecord): void {
  const { jobs = [] } = guest;
  let isKept = keepFinished(instance, guest);
  for (const job of jobs) {
    if (job.type !== "snapshot" || job.made === undefined) continue;
    if (instance.host.inspectFile(job.made) === undefined) continue;
    updateDefinition(instance, guest, xmlAfter(guest, job));
    isKept = true;
  }
  const memory = jobs.find((job) => job.memory !== undefined)?.memory;
  if (memory !== undefined) keepMemory(instance, memory, isKept);
  const taken = jobs.find(({ snapshot }) => snapshot !== undefined)?.snapshot;
  if (isKept && taken !== undefined) keepSnapshot(instance, guest.uuid, taken);
}

/** Updates the definition by a change that is being finished. Returns whether it is a snapshot. */
function keepFinished(instance: Instance, guest: GuestRecord): boolean {
  const { change } = guest;
  if (change?.stage !== "finishing" || change.isForDefinition !== true) return false;
  updateDefinition(instance, guest, change.xml);
  const job = findAdopted(guest)?.job;
  if (job?.merges === true) noteMerged(instance, guest.uuid, job.disk);
  return job?.type === "snapshot";
}

/** Gives the memory of a stored snapshot its name, and removes another snapshot's. */
function keepMemory({ host }: Instance, { part, path }: SnapshotMemory, isKept: boolean): void {
  if (!isKept) host.removeFile(part);
  else if (host.inspectFile(part) !== undefined) host.renameFile(part, path);
}
