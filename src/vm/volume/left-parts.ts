import { errorsOf, type SvirtError, unlessRefused } from "../../errors.ts";
import { listPoolFolders } from "../../resolve/pool-folders.ts";
import { silentServers } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import { listAnsweringPools, type VolumePool } from "./volume-pool.ts";

/** Time in which another call locks a part that it has just made. */
const LOCKING_MS = 20;

/**
 * Lists the files in active pools that killed calls have left of volumes. Servers that do not answer are left
 * out.
 */
export async function listLeftParts(instance: Instance): Promise<readonly string[]> {
  const pools = await poolsWithParts(instance);
  return pools.flatMap((pool) => partsOf(instance, pool));
}

/** Removes those files. Never throws for a single pool. */
export async function removeLeftParts(instance: Instance): Promise<readonly SvirtError[]> {
  const pools = await poolsWithParts(instance);
  return pools.flatMap(({ folder }) => errorsOf(() => instance.host.removeLeftParts(folder.id)));
}

async function poolsWithParts(instance: Instance): Promise<readonly VolumePool[]> {
  if (listPoolFolders(instance).length === 0) return [];
  const pools = await listAnsweringPools(instance, silentServers(instance.host));
  const found = pools.filter((pool) => partsOf(instance, pool).length > 0);
  if (found.length > 0) await instance.host.sleep(LOCKING_MS);
  return found;
}

/** A folder that svirt may not read has no parts of svirt. */
function partsOf({ host }: Instance, { folder }: VolumePool): readonly string[] {
  const names = unlessRefused(() => host.listLeftParts(folder.id)) ?? [];
  return names.map((name) => `${folder.id.path}/${name}`);
}
