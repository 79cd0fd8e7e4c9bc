import type { Host } from "../../host/host.ts";
import { isPartialVolume } from "../../plan/partial-names.ts";
import { parseMappedVolume } from "../../storage/pool/logical/group.ts";
import { nodeAt, type PoolDevice } from "./pool-device.ts";

const BLOCK_DEVICES = "/sys/class/block";
const MAPPED = /^dm-\d+$/;

/**
 * Lists the active volumes of a volume group with a path in /dev, without volumes still without their data.
 * Reads sysfs and nodes only: a start of a guest waits for no program. Thin volumes are among them; their
 * pools are not. virStorageBackendLogicalMakeVol() of libvirt
 */
export function listLogicalDevices(host: Host, group: string): readonly PoolDevice[] {
  return listMapped(host, group).filter(({ name }) => !isPartialVolume(name));
}

/** Lists the names of the active volumes still without their data. Reads as listLogicalDevices(). */
export function listLogicalParts(host: Host, group: string): readonly string[] {
  return listMapped(host, group).flatMap(({ name }) => (isPartialVolume(name) ? [name] : []));
}

/**
 * Returns the active volume of the name, also without its data; undefined if its path leads to another
 * device.
 */
export function findLogicalDevice(host: Host, group: string, name: string): PoolDevice | undefined {
  return listMapped(host, group).find((one) => one.name === name);
}

function listMapped(host: Host, group: string): readonly PoolDevice[] {
  return host.listFolder(BLOCK_DEVICES).flatMap((device) => {
    if (!MAPPED.test(device)) return [];
    const folder = `${BLOCK_DEVICES}/${device}`;
    const [map, uuid] = ["name", "uuid"].map((file) => host.readText(`${folder}/dm/${file}`)?.trim() ?? "");
    const volume = parseMappedVolume(map ?? "", uuid ?? "");
    if (volume?.group !== group) return [];
    const path = `/dev/${group}/${volume.name}`;
    const facts = nodeAt(host, path, folder);
    return facts === undefined ? [] : [{ name: volume.name, key: volume.uuid, path, facts }];
  });
}
