import type { FileId } from "../../plan/facts/file.ts";
import type { Step, StepOf } from "../../plan/steps/step.ts";
import { formatFolder } from "../../run/labels/format-mark.ts";
import type { Instance } from "../../state/instance.ts";
import { forgetWork } from "../object-change/noted-work.ts";
import { volumeBackendOf } from "./made/backends.ts";
import { runVolumeStep } from "./made/volume-file.ts";
import { refuseNeeded } from "./refuse-needed.ts";
import { type UnusedVolume, withUnusedVolume } from "./unused-volume.ts";
import type { DevicePool } from "./volume-pool.ts";

/**
 * Removes a volume: its file, its logical volume or its partition. Throws "not-found"; "in-use" for one that
 * a guest or another volume has; "denied" for anything other than a file of a folder for images, or than
 * `seen`. With `mayBeDisk` it removes the disk of a domain that is off, as isOnlyDiskOf() decides; with
 * `mayBeRead` the kernel of running guests, as hasReadAll() decides.
 */
export async function deleteVolume(
  instance: Instance,
  volume: DeletedVolume,
): Promise<{ readonly name: string; readonly path: string }> {
  return await withDeletable(instance, volume, async (unused) => {
    const { path } = unused.facts.id;
    await remove(instance, unused);
    forgetWork(instance, (work) => work.kind === "volume" && work.path === path);
    return { name: unused.name, path };
  });
}

/** Returns the steps of deleteVolume(), and changes nothing. Throws its errors. */
export async function planDeletion(
  instance: Instance,
  volume: DeletedVolume,
): Promise<{ readonly steps: readonly Step[] }> {
  return await withDeletable(instance, volume, async (unused) => ({
    steps:
      unused.pool.folder === undefined
        ? await deviceRemoval(instance, unused.pool, unused)
        : [removalOf(instance, unused)],
  }));
}

function removalOf({ paths }: Instance, { facts }: UnusedVolume): StepOf<"remove-volume"> {
  return { do: "remove-volume", file: facts.id, formats: formatFolder(paths.state) };
}

async function deviceRemoval(
  instance: Instance,
  pool: DevicePool,
  { extent, facts, name }: UnusedVolume,
): Promise<readonly Step[]> {
  const volume = { name, facts, start: extent?.start ?? 0 };
  return (await volumeBackendOf(pool)?.planRemoval(instance, pool, volume)) ?? [];
}

interface DeletedVolume {
  readonly key: string;
  readonly pool: string | undefined;
  readonly mayBeDisk?: boolean;
  readonly mayBeRead?: boolean;
  readonly seen?: FileId;
}

/** Does the work on a volume that may be deleted. Throws as deleteVolume(). */
async function withDeletable<Result>(
  instance: Instance,
  { mayBeDisk = false, mayBeRead = false, ...volume }: DeletedVolume,
  work: (unused: UnusedVolume) => Result | Promise<Result>,
): Promise<Result> {
  const operation = "vol deletion";
  return await withUnusedVolume(
    instance,
    {
      ...volume,
      attempt: "delete",
      mayBeDisk,
      mayHave: (owner, file) => mayBeRead && isRead(instance, owner, file),
      operation,
      hasOperation: (pool) => volumeBackendOf(pool) !== undefined,
      readsPools: true,
    },
    async (unused) => {
      const { facts, folder, pass } = unused;
      const { id } = facts;
      refuseNeeded(instance, { attempt: `delete ${id.path}`, file: id, mayBeDisk, pass }, folder);
      return await work(unused);
    },
  );
}

/** Few volumes are a kernel. */
function isRead(instance: Instance, owner: string, file: FileId): boolean {
  const { hasReadAll }: typeof import("./read-by-guests.ts") = require("./read-by-guests.ts");
  return hasReadAll(instance, owner, file);
}

async function remove(instance: Instance, unused: UnusedVolume): Promise<void> {
  const { pool } = unused;
  if (pool.folder !== undefined) {
    await runVolumeStep(instance, removalOf(instance, unused));
    return;
  }
  const steps = await deviceRemoval(instance, pool, unused);
  const { runSteps } = await import("../object-change/slow-change.ts");
  await runSteps(instance, steps);
}
