import { unlessRefused } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { openPool, type PoolStart } from "./open-target.ts";
import { withTargetLock } from "./target-lock.ts";

/**
 * Makes a pool active whose source is there: checks it under the registry's lock, and records the pool.
 * `check` is a further look at the source, which is also done before: on a disk that hangs, this command then
 * waits alone.
 */
export async function startHeld(
  instance: Instance,
  { choose, options, seen }: PoolStart,
  check?: (host: Host, pool: Pool) => void,
): Promise<StoredIdentity> {
  const { host } = instance;
  // A build has used the source already.
  if (!options.isBuilt) unlessRefused(() => check?.(host, seen));
  return await withTargetLock(instance, { pool: seen, isBuilt: options.isBuilt }, (held) => {
    const { name, pool, uuid, xml } = choose();
    openPool(instance, pool, { ...options, held });
    check?.(host, pool);
    poolStore.writeActive(instance, name, xml);
    return { name, uuid };
  });
}
