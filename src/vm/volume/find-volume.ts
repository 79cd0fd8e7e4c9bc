import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { folderOf } from "../../plan/folder-of.ts";
import type { PoolDevice } from "../../resolve/pools/pool-device.ts";
import { silentServer, silentServers } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { problemOfName } from "../../storage/volume/volume-name.ts";
import {
  type DevicePool,
  findAnyPool,
  listAnsweringPools,
  listDevicePools,
  refuseLostPool,
  type VolumePool,
} from "./volume-pool.ts";

/** Volume of a pool: a file or folder in the pool's folder, whose key is its path, or a block device. */
export interface FoundVolume {
  readonly pool: VolumePool | DevicePool;
  readonly name: string;
  readonly key: string;
  /** Path of the file, or a path that leads to the device's node. */
  readonly path: string;
  readonly facts: FileFacts;
  /** Place of a partition on its disk. */
  readonly extent?: PoolDevice["extent"];
}

/**
 * Returns a volume by its name in a pool, or by its key or path in any pool. Throws "not-found" with virsh's
 * message; "denied" for a name in the folder that is no volume; "timeout" for a server that does not answer.
 * virshCommandOptVolBy() of libvirt's tools/virsh-volume.c
 */
export async function findVolume(instance: Instance, key: string, poolKey?: string): Promise<FoundVolume> {
  const pool = poolKey === undefined ? undefined : await findAnyPool(instance, poolKey);
  const named = pool === undefined ? undefined : volumeIn(instance, pool, key);
  if (named !== undefined) return named;
  const found = await findByPath(instance, key, pool);
  if (found === undefined) throw noVolume(key, pool === undefined);
  if (pool === undefined || found.pool.uuid === pool.uuid) return found;
  throw new SvirtError(`Requested volume '${key}' is not in pool '${pool.name}'`, {
    kind: "not-found",
    remedy: `It is in pool '${found.pool.name}'.`,
  });
}

/** Returns the volume of that name; undefined if there is none. Throws "denied" for another kind of entry. */
export function volumeIn(
  instance: Instance,
  pool: VolumePool | DevicePool,
  name: string,
): FoundVolume | undefined {
  if (pool.folder === undefined) return deviceIn(pool, (device) => device.name === name);
  if (problemOfName(name) !== undefined) return undefined;
  const path = pathIn(pool.folder, name);
  const facts = instance.host.inspectFile(path);
  if (facts === undefined) return undefined;
  if (isVolume(facts, path)) return { pool, name, key: path, path, facts };
  throw new SvirtError(`Cannot use ${path} as a volume: it is ${kindOf(facts, path)}`, {
    kind: "denied",
    remedy: "Name a file of the pool's folder.",
  });
}

/** Returns the path of an entry of a folder. */
export function pathIn({ id }: FileFacts, name: string): string {
  return `${id.path === "/" ? "" : id.path}/${name}`;
}

/** Decides whether the file at a path is a volume: a file or a folder, and no symlink to one. */
export function isVolume({ id, type }: FileFacts, path: string): boolean {
  return id.path === path && (type === "file" || type === "folder");
}

function deviceIn(pool: DevicePool, isMeant: (device: PoolDevice) => boolean): FoundVolume | undefined {
  const device = pool.devices.find(isMeant);
  return device === undefined ? undefined : { pool, ...device };
}

/**
 * Returns the volume of a pool of devices with that key or path; undefined if there is none. That of the
 * preferred pool counts. Throws "usage" for a key that several disks report, "timeout" for one of a target
 * that does not answer.
 */
export function findDevice(
  instance: Instance,
  key: string,
  preferred?: VolumePool | DevicePool,
): FoundVolume | undefined {
  const isMeant = (device: PoolDevice): boolean => device.key === key || device.path === key;
  const inPool = (pool: DevicePool): (FoundVolume & { readonly pool: DevicePool })[] =>
    pool.devices.filter(isMeant).map((device) => ({ pool, ...device }));
  const own = preferred?.folder === undefined && preferred !== undefined ? inPool(preferred) : [];
  const found = own.length > 0 ? own : listDevicePools(instance).flatMap(inPool);
  const [first, second] = new Map(found.map((one) => [one.facts.id.node, one])).values();
  if (first !== undefined && second !== undefined) throw ambiguous(key, [first, second]);
  const [chosen] = found;
  if (chosen !== undefined) refuseLostPool(instance, chosen.pool);
  return chosen;
}

/** A target chooses the identifiers of its disks. */
function ambiguous(key: string, [one, other]: readonly [FoundVolume, FoundVolume]): SvirtError {
  return new SvirtError(
    `Cannot find the volume with the key ${key}: ${one.facts.id.path} and ${other.facts.id.path} have it`,
    {
      kind: "usage",
      from: "STORAGE",
      remedy: `Name it by its path, such as ${one.path}, or by its name with --pool.`,
    },
  );
}

async function findByPath(
  instance: Instance,
  path: string,
  preferred: VolumePool | DevicePool | undefined,
): Promise<FoundVolume | undefined> {
  const device = findDevice(instance, path, preferred);
  if (device !== undefined) return device;
  if (!path.startsWith("/")) return undefined;
  const { host } = instance;
  const findSilent = silentServers(host);
  const silent = await findSilent(path);
  if (silent !== undefined) throw silentServer(silent, `use the volume ${path}`);
  const folder = host.inspectFile(folderOf(path) || "/")?.id.path;
  const pools = await listAnsweringPools(instance, findSilent);
  const pool = pools.find((one) => one.folder.id.path === folder);
  return pool === undefined ? undefined : volumeIn(instance, pool, path.slice(path.lastIndexOf("/") + 1));
}

function kindOf({ id, type }: FileFacts, path: string): string {
  return id.path === path ? `a ${type}` : `a symlink to ${id.path}`;
}

function noVolume(key: string, mayNeedPool: boolean): SvirtError {
  const help = mayNeedPool && !key.startsWith("/") ? ", specifying --pool might help" : "";
  return new SvirtError(`failed to get vol '${key}'${help}`, {
    kind: "not-found",
    libvirt: "NO_STORAGE_VOL",
    remedy: "svirt vol-list POOL lists the volumes of an active pool.",
  });
}
