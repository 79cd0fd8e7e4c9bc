import { unlessRefused } from "../errors.ts";
import { belongsToHost } from "../label/protected-paths.ts";
import type { Instance } from "../state/instance.ts";
import { poolStore } from "../state/pools/pools.ts";
import { parsePoolText } from "../storage/pool/document.ts";
import { hasFolder } from "../storage/pool/rules/startable.ts";
import type { Pool } from "../storage/pool/stored-pool.ts";
import { isUnmounted } from "./pool-mount.ts";

/** Active pool with the files of a folder as volumes. */
export interface PoolFolder {
  readonly name: string;
  readonly uuid: string;
  readonly path: string;
}

/**
 * Lists the active pools with a folder for guests, in libvirt's order. Inspects no folder. A pool with a
 * damaged file has none.
 */
export function listPoolFolders(instance: Instance): readonly PoolFolder[] {
  return listActive(instance).flatMap(({ name, pool, uuid }) => {
    const path = hasFolder(pool) ? pool.target?.path : undefined;
    // svirt may not even inspect some folders of the host, and no pool has such a folder.
    if (path === undefined || belongsToHost(path) || isUnmounted(instance.host, pool)) return [];
    return [{ name, uuid, path }];
  });
}

/**
 * Lists the names of the active pools whose file system is not mounted: a start or an end was interrupted, or
 * it was unmounted by hand. Asks no server.
 */
export function listUnmountedPools(instance: Instance): readonly string[] {
  return listActive(instance).flatMap(({ name, pool }) => (isUnmounted(instance.host, pool) ? [name] : []));
}

interface ActivePool extends Pick<PoolFolder, "name" | "uuid"> {
  readonly pool: Pool;
}

/** Lists the active pools without a damaged file. */
function listActive(instance: Instance): readonly ActivePool[] {
  return poolStore.list(instance).flatMap(({ active, name, uuid }) => {
    const pool = active === undefined ? undefined : unlessRefused(() => parsePoolText(active));
    return pool === undefined ? [] : [{ name, uuid, pool }];
  });
}
