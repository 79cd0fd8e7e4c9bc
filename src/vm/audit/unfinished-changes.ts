import { type OnRefused, unlessRefused } from "../../errors.ts";
import { type ChangedObject, OBJECT_KINDS } from "../../plan/change/object-kinds.ts";
import { guestPaths, registryLock } from "../../plan/paths.ts";
import { listUnmountedPools } from "../../resolve/pool-folders.ts";
import type { SilentAt } from "../../resolve/silent-server.ts";
import { changePath, listChanged, readChange } from "../../state/changes/changes.ts";
import { listOldForms } from "../../state/changes/old-forms.ts";
import type { Instance } from "../../state/instance.ts";
import { hasJobNote } from "../../state/jobs.ts";
import { type GuestRecord, readRecord } from "../../state/record.ts";
import { listSnapshotMerges, readSnapshotMerge } from "../../state/snapshots/snapshot-merge.ts";
import type { Unfinished } from "../../state/unfinished-schema.ts";
import { HOLDS } from "../object-change/change.ts";
import { listParts } from "../object-change/parts.ts";
import { listLeftDrafts } from "../pool/iscsi/left-drafts.ts";
import { listPoolParts } from "../volume/left/parts.ts";
import { listLeftWork } from "../volume/left/work.ts";

// Rule: A change that a killed svirt has left is a finding of the audit.

/** Time for another call to finish a change of that object. */
const WAIT_MS = 3000;
const POLL_MS = 20;

/**
 * Lists the changes of networks, devices and definitions that a killed svirt has left, with the remedy. A
 * change that another call is carrying out is none.
 */
export async function findUnfinished(
  instance: Instance,
  { running, silentAt }: { readonly running: readonly GuestRecord[]; readonly silentAt: SilentAt },
): Promise<readonly string[]> {
  const found = [...(await findChangedGuests(instance, running)), ...(await findMerges(instance))];
  const lockOf = ({ key, kind }: ChangedObject): string => HOLDS[kind].lockOf(instance.paths, key);
  for (const object of listChanged(instance, OBJECT_KINDS)) {
    const isThere = (): boolean => listChanged(instance, [object.kind]).some(({ key }) => key === object.key);
    if (await isLeft(instance, lockOf(object), isThere)) found.push(...describe(instance, object));
  }
  for (const path of listParts(instance)) {
    if (await isLeft(instance, registryLock(instance.paths), () => listParts(instance).includes(path)))
      found.push(`${path}: is a part of a text that a killed svirt has left; run svirt recover`);
  }
  for (const name of listUnmountedPools(instance)) {
    // A start mounts it under the registry's lock.
    const isThere = (): boolean => listUnmountedPools(instance).includes(name);
    if (await isLeft(instance, registryLock(instance.paths), isThere)) found.push(unmounted(name));
  }
  found.push(...findLeftWork(instance, silentAt));
  for (const path of listLeftDrafts(instance))
    found.push(
      `${path}: is a part of a record with a password that a killed svirt has left; run svirt recover`,
    );
  for (const path of await listPoolParts(instance, silentAt))
    found.push(`${path}: is a part of a volume that a killed svirt has left; run svirt recover`);
  for (const path of listOldForms(instance, OBJECT_KINDS))
    found.push(`${path}: a change of an older svirt was interrupted; run svirt recover`);
  return found;
}

/** Lists the work on pools and volumes left in part by killed calls, and its damaged notes. */
function findLeftWork(instance: Instance, silentAt: SilentAt): readonly string[] {
  const damaged: string[] = [];
  const onDamaged: OnRefused = ({ message, remedy }) => void damaged.push(`${message}; remedy: ${remedy}`);
  return [...listLeftWork(instance, { silentAt, onDamaged }).map(describeLeftWork), ...damaged];
}

function describeLeftWork(work: Unfinished): string {
  const was = `'${work.command}' was interrupted`;
  if (work.kind === "volume")
    return `${work.path}: ${was}, and the volume is written in part; repeat it, or run svirt vol-delete ${work.path}`;
  const { command, kind, name } = work;
  if (kind === "storage")
    return `${name}: ${was}, and the storage of the pool is made or removed in part; repeat it, or run svirt ${command === "pool-create" ? "pool-destroy" : "pool-undefine"} ${name}`;
  const opposite = command === "pool-destroy" ? "pool-start" : "pool-destroy";
  return `${name}: ${was}, and the source of the storage pool is still up; repeat it, or run svirt ${opposite} ${name}`;
}

function unmounted(pool: string): string {
  const remedy = `run svirt pool-start ${pool}, or svirt pool-destroy ${pool}`;
  return `${pool}: the storage pool is active, and its file system is not mounted; ${remedy}`;
}

/**
 * Lists the running guests with a change or a note of a job that no call carries out. A guest may keep a
 * device that it was told to release. It waits for the calls on all guests at once.
 */
async function findChangedGuests(
  instance: Instance,
  running: readonly GuestRecord[],
): Promise<readonly string[]> {
  const found = await Promise.all(running.map(async (guest) => await findChanged(instance, guest)));
  return found.flat();
}

async function findChanged(
  instance: Instance,
  { change, name, uuid }: GuestRecord,
): Promise<readonly string[]> {
  const { lock } = guestPaths(instance.paths, uuid);
  if (change === undefined || change.isTold === true) {
    const isNoted = await isLeft(instance, lock, () => hasJobNote(instance, uuid));
    return isNoted ? [`${name}: a save, dump or snapshot was interrupted; run svirt recover`] : [];
  }
  const isThere = (): boolean =>
    unlessRefused(() => readRecord(instance, uuid)?.change?.what) === change.what;
  if (!(await isLeft(instance, lock, isThere))) return [];
  return [`${name}: '${change.what}' was interrupted, and is neither undone nor finished; run svirt recover`];
}

/**
 * Lists the domains with an interrupted deletion of a snapshot. A damaged record is reported as a damaged
 * file. It waits for the calls on all domains at once.
 */
async function findMerges(instance: Instance): Promise<readonly string[]> {
  const found = listSnapshotMerges(instance).map(async (uuid) => {
    const { lock } = guestPaths(instance.paths, uuid);
    const isThere = (): boolean => unlessRefused(() => readSnapshotMerge(instance, uuid)) !== undefined;
    const isInterrupted = await isLeft(instance, lock, isThere);
    return isInterrupted ? [`${uuid}: the deletion of a snapshot was interrupted; run svirt recover`] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Two looks find it without the lock: the call that has written it has ended without removing it. */
async function isLeft({ host }: Instance, lock: string, isThere: () => boolean): Promise<boolean> {
  const until = host.nowMs() + WAIT_MS;
  while (host.isLocked(lock)) {
    if (!isThere() || host.nowMs() >= until) return false;
    await host.sleep(POLL_MS);
  }
  const isSeen = (): boolean => isThere() && !host.isLocked(lock);
  if (!isSeen()) return false;
  await host.sleep(POLL_MS);
  return isSeen();
}

function describe(instance: Instance, object: ChangedObject): readonly string[] {
  const damaged: string[] = [];
  const change = unlessRefused(
    () => readChange(instance, object),
    ({ message, remedy }) => void damaged.push(`${message}; remedy: ${remedy}`),
  );
  if (damaged.length > 0) return damaged;
  const what = change === undefined ? `a change of ${changePath(instance, object)}` : change.what;
  return [`${what}: was interrupted, and is neither undone nor finished; run svirt recover`];
}
