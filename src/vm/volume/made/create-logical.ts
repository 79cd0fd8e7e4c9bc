import { errorsOfWork, listErrors, throwErrors } from "../../../errors.ts";
import type { FileFacts } from "../../../host/files.ts";
import type { DeviceData } from "../../../host/new-file.ts";
import { isPartialVolume, partialVolume } from "../../../plan/partial-names.ts";
import { findLogicalDevice } from "../../../resolve/pools/logical-devices.ts";
import { readLogicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import { runTool } from "../../../run/steps/pool/run-tool.ts";
import type { Instance } from "../../../state/instance.ts";
import { withPartLock } from "../../../state/locks.ts";
import { createVolumeCommand, lvm } from "../../../storage/pool/logical/commands.ts";
import { volumeGroupOf } from "../../../storage/pool/logical/group.ts";
import { notMade } from "../../../storage/volume/creation-refusal.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import { decideLogicalVolume } from "../../../storage/volume/new-logical.ts";
import { removeLeftParts } from "../../pool/made/remove-partial-volumes.ts";
import { withUnusedVolume } from "../unused-volume.ts";
import type { DevicePool } from "../volume-pool.ts";
import { alreadyThere, type MadeVolume, ownDevice, withoutNode } from "./made-volume.ts";

/**
 * Makes a volume of a pool of type logical: all of its space, a sparse one, or a snapshot of another volume
 * of the pool. The space keeps what earlier volumes have left there. Throws "in-use" if the name is taken or
 * a guest uses the origin, "unsupported", "failed". virStorageBackendLogicalCreateVol() of libvirt
 */
export async function createLogicalVolume(
  instance: Instance,
  { name: pool, storage }: DevicePool,
  volume: Volume,
): Promise<MadeVolume> {
  const { host } = instance;
  const group = volumeGroupOf(storage);
  const decided = decideLogicalVolume(volume, group);
  const { name, origin } = decided;
  await makeRoom(instance, group, name);
  const make = async (): Promise<void> =>
    await runTool(host, {
      words: createVolumeCommand(decided),
      attempt: `create the volume ${group}/${name}`,
    });
  if (origin === undefined) await make();
  // Refused while a guest uses the volume: the snapshot could contain a part of a write.
  else await withUnusedVolume(instance, { key: origin, pool, attempt: "take a snapshot of" }, make);
  return made(instance, group, volume);
}

/**
 * Makes a volume of a pool of type logical with data, and with zeros behind it. It has a name that only svirt
 * uses until the data is there. Throws as createLogicalVolume() and Host.copyToDevice.
 */
export async function createFilledVolume(
  instance: Instance,
  { storage }: DevicePool,
  { data, volume }: { readonly volume: Volume; readonly data: DeviceData },
): Promise<MadeVolume> {
  const { host } = instance;
  const group = volumeGroupOf(storage);
  const decided = decideLogicalVolume(volume, group);
  await makeRoom(instance, group, volume.name);
  const part = partialVolume(host.makeUuid());
  return await withPartLock(instance, part, async () => {
    const attempt = `create the volume ${group}/${volume.name}`;
    await runTool(host, { words: createVolumeCommand({ ...decided, name: part }), attempt });
    try {
      await host.copyToDevice(nodeOf(instance, group, part).id, data);
      await runTool(host, { words: lvm.renameVolume(group, part, volume.name), attempt });
    } catch (error) {
      const words = lvm.removeVolume(group, part);
      throwErrors([
        ...listErrors(error),
        ...(await errorsOfWork(async () => await runTool(host, { words, attempt: `remove ${part}` }))),
      ]);
      throw error;
    }
    return made(instance, group, volume);
  });
}

/**
 * Removes what interrupted calls left. Throws "in-use" for a volume that exists, "unsupported" for a name
 * that svirt keeps for itself.
 */
async function makeRoom(instance: Instance, group: string, name: string): Promise<void> {
  if (isPartialVolume(name))
    throw notMade("name", "svirt keeps names of this form for volumes that do not have their data yet");
  const volumes = await readLogicalVolumes(instance.host, group);
  if (volumes.some((one) => one.name === name)) throw alreadyThere(name);
  await removeLeftParts(instance, group, volumes);
}

function made(instance: Instance, group: string, volume: Volume): MadeVolume {
  const facts = nodeOf(instance, group, volume.name);
  ownDevice(instance.host, facts, volume);
  return { name: volume.name, path: `/dev/${group}/${volume.name}`, facts };
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
