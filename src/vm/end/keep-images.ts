import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { noteMerged } from "../../state/snapshots/snapshot-merge.ts";
import { keepSnapshot } from "../../state/snapshots/snapshot-tree.ts";
import { updateDefinition } from "./follow-guest.ts";
import { xmlAfter } from "./xml-after.ts";

/**
 * Updates the definition of a guest that ended during a change of its images. The outcome of a change being finished is
 * certain. For a snapshot QEMU may or may not have switched to the overlays, and svirt did not see which. Overlays
 * without data are removed already; a remaining one has the guest's latest data, and the snapshot is stored. The caller holds the registry's lock.
 */
export function keepImages(instance: Instance, guest: GuestRecord): void {
  const { change, jobs = [] } = guest;
  if (change?.stage === "finishing" && change.isForDefinition === true) {
    updateDefinition(instance, guest, change.xml);
    const adopted = change.after.find((step) => step.do === "adopt-chain");
    const ended = jobs.find(({ device }) => device === adopted?.device);
    if (ended?.merges === true) noteMerged(instance, guest.uuid, ended.disk);
  }
  let isKept = false;
  for (const job of jobs) {
    if (job.type !== "snapshot" || job.made === undefined) continue;
    if (instance.host.inspectFile(job.made) === undefined) continue;
    updateDefinition(instance, guest, xmlAfter(guest, job));
    isKept = true;
  }
  const taken = jobs.find(({ snapshot }) => snapshot !== undefined)?.snapshot;
  if (isKept && taken !== undefined) keepSnapshot(instance, guest.uuid, taken);
}
