import { listLogicalDevices } from "../../../resolve/pools/logical-devices.ts";
import { readLogicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import type { Instance } from "../../../state/instance.ts";
import { createVolumeCommand } from "../../../storage/pool/logical/commands.ts";
import { volumeGroupOf } from "../../../storage/pool/logical/group.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import { decideLogicalVolume } from "../../../storage/volume/new-logical.ts";
import { runTool } from "../../pool/made/run-tool.ts";
import { withUnusedVolume } from "../unused-volume.ts";
import type { DevicePool } from "../volume-pool.ts";
import { alreadyThere, type MadeVolume, ownDevice, withoutNode } from "./made-volume.ts";

/**
 * Makes a volume of a pool of type logical: all of its space, a sparse one, or a snapshot of another volume of the pool. The space
 * keeps what earlier volumes have left there. Throws "in-use" if the name is taken or a guest uses the origin, "unsupported", "failed".
 * virStorageBackendLogicalCreateVol() of libvirt
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
  if (readLogicalVolumes(host, group).some((one) => one.name === name)) throw alreadyThere(name);
  const make = (): void =>
    runTool(host, { words: createVolumeCommand(decided), attempt: `create the volume ${group}/${name}` });
  if (origin === undefined) make();
  // Refused while a guest uses the volume: the snapshot could contain a part of a write.
  else await withUnusedVolume(instance, { key: origin, pool, attempt: "take a snapshot of" }, make);
  const path = `/dev/${group}/${name}`;
  // A path may be left from an earlier device with this name: sysfs says which one the volume has.
  const made = listLogicalDevices(host, group).find((one) => one.name === name);
  if (made === undefined) throw withoutNode(path);
  ownDevice(host, made.facts, volume);
  return { name, path, facts: made.facts };
}
