import { SvirtError } from "../../errors.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { hasManagedSave } from "../../state/managed-save.ts";
import type { GuestRecord } from "../../state/record.ts";
import {
  readSnapshotMerge,
  refuseMerging,
  type SnapshotMerge,
} from "../../state/snapshots/snapshot-merge.ts";
import type { SnapshotTree, StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import { commitLive } from "../block/commit.ts";
import type { ChangeRequest } from "../change/change-guest.ts";
import type { FoundDomain } from "../guest/find-domain.ts";
import { refuseUnknown } from "../volume/unused-volume.ts";
import type { DeletedSnapshots } from "./delete-snapshot.ts";
import { findSnapshots, snapshotIn } from "./find-snapshot.ts";
import { findMemory } from "./memory-of-deleted.ts";
import { besideJob } from "./merge-lock.ts";
import { listExternal, listPlannedPaths, type PlannedMerge, planMerge } from "./plan-merge.ts";
import { refuseDelete } from "./refuse-delete.ts";
import { refuseSharedBase } from "./refuse-shared-base.ts";

/** Merge of a snapshot's overlays, as it is or would be recorded. */
export interface Deletion {
  readonly merge: SnapshotMerge;
  readonly snapshot: StoredSnapshot;
}

/** Decided deletion of a snapshot with its images. */
interface DecidedDeletion extends Deletion {
  readonly domain: FoundDomain;
  readonly tree: SnapshotTree;
  /** Remaining files, with reasons. */
  readonly left: readonly string[];
}

/**
 * Decides the deletion of a snapshot, new or begun by a call that was killed; undefined: nothing is to be
 * deleted. Throws "not-found" and the refusals of deleteWithImages(), and changes nothing.
 */
export async function decideDeletion(
  instance: Instance,
  uuid: string,
  { name, which }: { readonly name: string; readonly which: DeletedSnapshots["which"] },
): Promise<DecidedDeletion | undefined> {
  const { domain, tree } = findSnapshots(instance, uuid);
  const snapshot = snapshotIn(tree, name);
  refuseDelete(tree, name, which);
  // Nothing is below it.
  if (which === "children") return undefined;
  const begun = readSnapshotMerge(instance, uuid);
  if (begun !== undefined && begun.name !== name) refuseMerging(instance, uuid, begun.name);
  if (domain.guest === undefined && hasManagedSave(instance, domain.name)) throw saveRefusal(domain.name);
  const { file, left } = await findMemory(instance, uuid, snapshot);
  const { memory: _, ...merge } = begun ?? { name, disks: [] };
  return { domain, tree, snapshot, left, merge: file === undefined ? merge : { ...merge, memory: file } };
}

/** Whether overlays are left to merge. */
export function needsQemu({ merge, snapshot }: Deletion): boolean {
  const merged = new Set(merge.disks.filter(({ isMerged }) => isMerged === true).map(({ target }) => target));
  return listExternal(snapshot).some(({ name }) => !merged.has(name));
}

/**
 * Plans the merges that have neither begun nor ended. The caller holds no lock. Throws before anything
 * changes; "in-use" if anything else needs a base.
 */
export async function planMerges(
  instance: Instance,
  guest: GuestRecord,
  { merge, snapshot }: Deletion,
): Promise<readonly PlannedMerge[]> {
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

/**
 * Returns the commit of an overlay. It is refused if the base has got another user since it was planned. The
 * registry's lock is held for its decision.
 */
export function requestOf(instance: Instance, { commit, disk, images }: PlannedMerge): ChangeRequest {
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

function saveRefusal(name: string): SvirtError {
  return new SvirtError(
    `Requested operation is not valid: the saved state of '${name}' needs the images of its disks`,
    { kind: "wrong-state", remedy: `Remove it, or start the domain: svirt managedsave-remove ${name}` },
  );
}
