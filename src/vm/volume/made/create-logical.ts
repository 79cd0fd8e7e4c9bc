import type { FileFacts } from "../../../host/files.ts";
import type { DeviceData } from "../../../host/new-file.ts";
import { isPartialVolume, partialVolume } from "../../../plan/partial-names.ts";
import type { Step, StepOf } from "../../../plan/steps/step.ts";
import { findLogicalDevice } from "../../../resolve/pools/logical-devices.ts";
import { readLogicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import type { Instance } from "../../../state/instance.ts";
import { withPartLock } from "../../../state/locks.ts";
import { createVolumeCommand, lvm } from "../../../storage/pool/logical/commands.ts";
import { volumeGroupOf } from "../../../storage/pool/logical/group.ts";
import { notMade } from "../../../storage/volume/creation-refusal.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import { decideLogicalVolume } from "../../../storage/volume/new-logical.ts";
import { runOrUndo, runSteps } from "../../object-change/slow-change.ts";
import { listLeftParts, removalOfPart } from "../../pool/made/remove-partial-volumes.ts";
import { withUnusedVolume } from "../unused-volume.ts";
import type { DevicePool } from "../volume-pool.ts";
import { alreadyThere, type MadeVolume, ownSteps, withoutNode } from "./made-volume.ts";
import type { NewDevice, PlannedDevice } from "./volume-backend.ts";

/**
 * Makes a volume of a pool of type logical: all of its space, a sparse one, or a snapshot of another volume
 * of the pool. The space keeps what earlier volumes have left there, unless the volume gets data. Until then
 * it has a name that only svirt uses. Throws "in-use" if the name is taken or a guest uses the origin,
 * "unsupported", "failed"; and as Host.copyToDevice. virStorageBackendLogicalCreateVol() of libvirt
 */
export async function createLogicalVolume(
  instance: Instance,
  pool: DevicePool,
  made: NewDevice,
): Promise<MadeVolume> {
  const { data, volume } = made;
  const group = volumeGroupOf(pool.storage);
  if (data !== undefined) {
    const part = partialVolume(instance.host.makeUuid());
    await withPartLock(instance, part, async () => await makeFilled(instance, pool, { made, data, part }));
  } else
    await withOrigin(instance, { pool, volume }, async () => {
      await runSteps(instance, await stepsOf(instance, pool, { made, part: undefined }));
    });
  const facts = nodeOf(instance, group, volume.name);
  const path = `/dev/${group}/${volume.name}`;
  await runSteps(instance, ownSteps(path, volume, facts.id));
  return { name: volume.name, path, facts };
}

/** Returns the steps of createLogicalVolume(), and changes nothing. Throws its errors. */
export async function planLogicalVolume(
  instance: Instance,
  pool: DevicePool,
  made: PlannedDevice,
): Promise<readonly Step[]> {
  const { source, volume } = made;
  const part = source === undefined ? undefined : partialVolume(instance.host.makeUuid());
  return await withOrigin(instance, { pool, volume }, async () => [
    ...(await stepsOf(instance, pool, { made, part })),
    ...ownSteps(`/dev/${volumeGroupOf(pool.storage)}/${volume.name}`, volume),
  ]);
}

/** Does the work while no guest uses the origin: the snapshot could contain a part of a write. */
async function withOrigin<Result>(
  instance: Instance,
  { pool: { name: pool, storage }, volume }: { readonly pool: DevicePool; readonly volume: Volume },
  work: () => Promise<Result>,
): Promise<Result> {
  const { origin } = decideLogicalVolume(volume, volumeGroupOf(storage));
  if (origin === undefined) return await work();
  return await withUnusedVolume(instance, { key: origin, pool, attempt: "take a snapshot of" }, work);
}

/** Makes a volume with its data. If it fails, nothing of the volume stays. The caller has locked its part. */
async function makeFilled(
  instance: Instance,
  pool: DevicePool,
  { data, made, part }: { readonly made: PlannedDevice; readonly data: DeviceData; readonly part: string },
): Promise<void> {
  const steps = await stepsOf(instance, pool, { made, part });
  await runOrUndo(instance, {
    run: async (_, run) => {
      for (const step of steps) {
        if (step.do !== "fill-device") await run([step]);
        else {
          const device = nodeOf(instance, volumeGroupOf(pool.storage), part).id;
          await run([{ ...step, device }], { data: new Map([[step.path, data]]) });
        }
      }
    },
  });
}

/**
 * Returns the steps that make a volume, also those that remove what interrupted calls left. Throws "in-use"
 * for a volume that exists, "unsupported" for a name that svirt keeps for itself.
 */
async function stepsOf(
  instance: Instance,
  { storage }: DevicePool,
  { made, part }: { readonly made: PlannedDevice; readonly part: string | undefined },
): Promise<readonly Step[]> {
  const { source = "", volume } = made;
  const group = volumeGroupOf(storage);
  const decided = decideLogicalVolume(volume, group);
  const { name } = decided;
  if (isPartialVolume(name))
    throw notMade("name", "svirt keeps names of this form for volumes that do not have their data yet");
  const volumes = await readLogicalVolumes(instance.host, group);
  if (volumes.some((one) => one.name === name)) throw alreadyThere(name);
  const left = (await listLeftParts(instance, group, volumes)).map((one) => removalOfPart(group, one));
  const attempt = `create the volume ${group}/${name}`;
  const words = [...createVolumeCommand({ ...decided, name: part ?? name })];
  const create: StepOf<"run-tool"> = { do: "run-tool", words, attempt };
  if (part === undefined) return [...left, create];
  return [
    ...left,
    { ...create, back: { words: lvm.removeVolume(group, part), attempt: `remove ${part}`, mayFail: true } },
    { do: "fill-device", path: `/dev/${group}/${part}`, source },
    { do: "run-tool", words: lvm.renameVolume(group, part, name), attempt },
  ];
}

/**
 * Returns the device of a volume: a path may be left from an earlier one with this name, and sysfs says which
 * one the volume has.
 */
function nodeOf({ host }: Instance, group: string, name: string): FileFacts {
  const found = findLogicalDevice(host, group, name);
  if (found === undefined) throw withoutNode(`/dev/${group}/${name}`);
  return found.facts;
}
