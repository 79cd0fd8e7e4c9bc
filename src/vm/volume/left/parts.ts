import { errorsOf, errorsOfWork, type SvirtError, unlessRefused } from "../../../errors.ts";
import { isWithin } from "../../../plan/folder-of.ts";
import { type FindSilent, type SilentAt, silentServers } from "../../../resolve/silent-server.ts";
import type { Instance } from "../../../state/instance.ts";
import { volumeBackendOf } from "../made/backends.ts";
import type { VolumeBackend } from "../made/volume-backend.ts";
import { type DevicePool, listAnsweringPools, listDevicePools, type VolumePool } from "../volume-pool.ts";

/** Time in which another call locks a part that it has just made. */
const LOCKING_MS = 20;

/**
 * Lists the files and devices in active pools that killed calls have left of volumes, without the pools of
 * silent servers.
 */
export async function listPoolParts(instance: Instance, silentAt: SilentAt): Promise<readonly string[]> {
  const mounts = instance.host.listMounts().map(({ path }) => path);
  // A guest's folder below a pool is a mount of its own, of the same server.
  const findSilent: FindSilent = async (path) =>
    silentAt(path) ?? mounts.find((mount) => isWithin(mount, path) && silentAt(mount) !== undefined);
  const pools = await poolsWithParts(instance, findSilent);
  const files = pools.flatMap((pool) => partsOf(instance, pool));
  return [...files, ...devicePools(instance).flatMap(({ parts, pool }) => parts.list(instance, pool))];
}

/** Removes those files and devices. Never throws for a single pool. */
export async function removePoolParts(instance: Instance): Promise<readonly SvirtError[]> {
  const pools = await poolsWithParts(instance, silentServers(instance.host));
  const errors = pools.flatMap(({ folder }) => errorsOf(() => instance.host.removeLeftParts(folder.id)));
  for (const { parts, pool } of devicePools(instance))
    errors.push(...(await errorsOfWork(async () => await parts.remove(instance, pool))));
  return errors;
}

/** Active pool whose killed calls leave devices. */
interface DeviceParts {
  readonly pool: DevicePool;
  readonly parts: Exclude<VolumeBackend["parts"], string>;
}

function devicePools(instance: Instance): readonly DeviceParts[] {
  return listDevicePools(instance).flatMap((pool) => {
    const { parts = "leaves none" } = volumeBackendOf(pool) ?? {};
    return parts === "leaves none" ? [] : [{ pool, parts }];
  });
}

async function poolsWithParts(instance: Instance, findSilent: FindSilent): Promise<readonly VolumePool[]> {
  const pools = await listAnsweringPools(instance, findSilent);
  const found = pools.filter((pool) => partsOf(instance, pool).length > 0);
  if (found.length > 0) await instance.host.sleep(LOCKING_MS);
  return found;
}

/** A folder that svirt may not read has no parts of svirt. */
function partsOf({ host }: Instance, { folder }: VolumePool): readonly string[] {
  const names = unlessRefused(() => host.listLeftParts(folder.id)) ?? [];
  return names.map((name) => `${folder.id.path}/${name}`);
}
