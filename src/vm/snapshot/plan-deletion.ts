import { joinStages, type StagedPlan } from "../../plan/change/staged-plan.ts";
import type { Step } from "../../plan/steps/step.ts";
import { definitionOf } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { MergedDisk } from "../../state/snapshots/snapshot-merge.ts";
import { snapshotsStep } from "../../state/snapshots/snapshots.ts";
import { guestAfter, planConclusions } from "../block/plan-conclusions.ts";
import { planEnd } from "../end/end-guest.ts";
import { findDomain } from "../guest/find-domain.ts";
import { planStarted } from "../start/start.ts";
import { type Deletion, decideDeletion, needsQemu, planMerges, requestOf } from "./decide-merges.ts";
import type { DeletedSnapshots } from "./delete-snapshot.ts";
import { mergedTree } from "./merged-tree.ts";

/** Guest that merges, and the steps before and after it. */
interface Merging {
  readonly guest: GuestRecord;
  /** Steps of a start for the merge alone. */
  readonly start: readonly Step[];
  /** Whether the guest ends with the merge. */
  readonly ends: boolean;
}

/**
 * Returns the steps of deleteWithImages(), if QEMU does all of its jobs, and changes nothing. Throws its
 * refusals.
 */
export async function planDeletion(
  instance: Instance,
  key: string,
  { name, which }: { readonly name: string; readonly which: DeletedSnapshots["which"] },
): Promise<StagedPlan> {
  const { uuid } = findDomain(instance, key);
  const decided = await decideDeletion(instance, uuid, { name, which });
  if (decided === undefined) return joinStages([]);
  const { merge, tree } = decided;
  const merged = needsQemu(decided)
    ? await planMerged(instance, uuid, decided)
    : { stages: [], disks: merge.disks };
  const { disks } = merged;
  const files = [
    ...disks.map(({ overlay }) => overlay),
    ...(merge.memory === undefined ? [] : [merge.memory]),
  ];
  const removal: readonly Step[] = [
    snapshotsStep(instance, uuid, mergedTree(tree, name, disks)),
    ...files.map(({ path }) => ({ do: "remove-file", path }) as const),
  ];
  return joinStages([...merged.stages, { steps: removal }]);
}

/** Plans the merge of all overlays that are left, and the end of a guest that was started for it. */
async function planMerged(
  instance: Instance,
  uuid: string,
  { merge, snapshot }: Deletion,
): Promise<{ readonly stages: Parameters<typeof joinStages>[0]; readonly disks: readonly MergedDisk[] }> {
  const { ends, guest, start } = await mergingGuest(instance, uuid);
  const planned = await planMerges(instance, guest, { merge, snapshot });
  const steps: Step[] = [];
  const working = await withRegistryLock(instance, async () =>
    planned.reduce((before, one) => {
      const decided = requestOf(instance, one).decide(before);
      steps.push(...decided.steps);
      return guestAfter(before, decided);
    }, guest),
  );
  const jobs = (working.jobs ?? []).filter(({ merges }) => merges === true);
  const followed = planConclusions(instance, working, { jobs, isDone: true });
  return {
    stages: [
      { steps: [...start, ...steps] },
      { steps: followed.steps, after: "QEMU merges the images; after that:" },
      { steps: ends ? planEnd(followed.guest) : [] },
    ],
    disks: [...merge.disks, ...planned.map(({ disk }) => disk)],
  };
}

async function mergingGuest(instance: Instance, uuid: string): Promise<Merging> {
  const { guest } = findDomain(instance, uuid);
  if (guest !== undefined) return { guest, start: [], ends: false };
  const xml = definitionOf(instance, uuid)?.xml ?? "";
  const started = await planStarted(instance, new TextEncoder().encode(xml), { isPaused: true });
  return { guest: started.guest, start: started.steps, ends: true };
}
