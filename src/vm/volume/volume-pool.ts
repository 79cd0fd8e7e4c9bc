import { SvirtError, unlessRefused } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { listPoolFolders } from "../../resolve/pool-folders.ts";
import { refuseUnmounted } from "../../resolve/pool-mount.ts";
import type { PoolDevice } from "../../resolve/pools/pool-device.ts";
import { type FindSilent, refuseSilent } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import { hasFolder, supportedPool } from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { activePool } from "../pool/find-pool.ts";
import { existingTarget } from "../pool/find-target.ts";

/** Name and UUID of an active pool. */
interface ActivePool {
  readonly name: string;
  readonly uuid: string;
}

/** Active pool with the files of a folder as volumes. */
export interface VolumePool extends ActivePool {
  readonly folder: FileFacts;
}

/** Active pool whose volumes are block devices of the host. */
export interface DevicePool extends ActivePool {
  readonly folder: undefined;
  /** The pool as it is active. */
  readonly storage: Pool;
  readonly devices: readonly PoolDevice[];
}

/** Lists the active pools whose folder exists, in libvirt's order. One with a damaged file has no volumes. */
export function listVolumePools(instance: Instance): readonly VolumePool[] {
  return listPoolFolders(instance).flatMap((pool) => volumePool(instance, pool));
}

/** Lists pools as listVolumePools(), without those of servers that do not answer. */
export async function listAnsweringPools(
  instance: Instance,
  findSilent: FindSilent,
): Promise<readonly VolumePool[]> {
  const found: VolumePool[] = [];
  for (const pool of listPoolFolders(instance))
    if ((await findSilent(pool.path)) === undefined) found.push(...volumePool(instance, pool));
  return found;
}

function volumePool(
  { host }: Instance,
  { name, path, uuid }: ReturnType<typeof listPoolFolders>[number],
): readonly VolumePool[] {
  const folder = host.inspectFile(path);
  return folder?.type === "folder" && folder.id.path === path ? [{ name, uuid, folder }] : [];
}

function readable(active: string | undefined): Pool | undefined {
  return active === undefined ? undefined : unlessRefused(() => parsePoolText(active));
}

/** Returns the search for the devices of a pool, which is loaded at first use: most pools are folders. */
function poolDevices(): typeof import("../../resolve/pools/pool-devices.ts") {
  return require("../../resolve/pools/pool-devices.ts");
}

/** Throws "timeout" for a pool of devices of a server that does not answer. */
export function refuseLostPool({ host }: Instance, { storage }: DevicePool): void {
  poolDevices().refuseLost(host, storage);
}

/** Lists the active pools of block devices whose source exists. */
export function listDevicePools(instance: Instance): readonly DevicePool[] {
  return poolStore.list(instance).flatMap(({ active, name, uuid }) => {
    const pool = readable(active);
    if (pool === undefined || hasFolder(pool)) return [];
    const devices = unlessRefused(() => poolDevices().listPoolDevices(instance.host, pool));
    return devices === undefined ? [] : [{ name, uuid, folder: undefined, storage: pool, devices }];
  });
}

/**
 * Returns the active pool with that UUID or name. Throws "not-found", also without its folder or source;
 * "wrong-state" for an inactive one; "denied" for a folder where guests may not write; "timeout" for one
 * whose server does not answer.
 */
export async function findAnyPool(instance: Instance, key: string): Promise<VolumePool | DevicePool> {
  const { active, defined, name, uuid } = activePool(instance, key);
  const pool = supportedPool(parsePoolText(active), "refresh");
  if (!hasFolder(pool)) {
    const devices = poolDevices().listPoolDevices(instance.host, pool);
    const found: DevicePool = { name, uuid, folder: undefined, storage: pool, devices };
    refuseLostPool(instance, found);
    return found;
  }
  refuseUnmounted(instance.host, pool);
  await refuseSilent(instance.host, pool.target.path, `use the storage pool '${name}'`);
  const isDefined = defined !== undefined;
  return { name, uuid, folder: existingTarget(instance.host, pool.target.path, { name, isDefined }) };
}

/** Returns the refusal of an operation that pools of block devices lack. VIR_ERR_NO_SUPPORT of libvirt */
export function withoutOperation(operation: string): SvirtError {
  return new SvirtError(
    `this function is not supported by the connection driver: storage pool does not support ${operation}`,
    {
      kind: "unsupported",
      libvirt: "NO_SUPPORT",
      remedy:
        "Its volumes are devices of the host: change them with the host's tools, then run svirt pool-refresh.",
    },
  );
}
