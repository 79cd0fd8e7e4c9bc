import { errorsOfWork, throwErrors, unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { removePoolNotes } from "../../state/pools/pool-notes.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import type { PoolWork } from "./backends/backend.ts";
import { poolBackendOf } from "./backends/table.ts";
import { activePool } from "./find-pool.ts";

/**
 * Makes a pool inactive: unmounts what its start has mounted, logs out of its iSCSI target, or deactivates
 * its volume group. A server may take long, so the registry's lock is not held meanwhile. Throws "not-found",
 * "wrong-state"; "in-use" for a file system or a session that is in use, and the pool stays active.
 */
export async function endPool(instance: Instance, key: string): Promise<StoredIdentity> {
  const seen = readable(activePool(instance, key).active);
  if (seen === undefined) return await endRest(instance, key, seen);
  const { before, withSource } = poolBackendOf(seen.type).end;
  await runWorks(before, instance, seen);
  if (withSource === "shared") return await endRest(instance, key, seen);
  return await withSource(instance, seen, async () => await endRest(instance, key, seen));
}

/** Records that a pool is inactive, and releases its source. If that fails, the pool is active again. */
async function endRest(instance: Instance, key: string, seen: Pool | undefined): Promise<StoredIdentity> {
  const { active, name, pool, uuid } = await changeStored(instance, () => endActive(instance, key, seen));
  if (pool === undefined) return { name, uuid };
  const { after } = poolBackendOf(pool.type).end;
  const failed = await errorsOfWork(async () => await runWorks(after, instance, pool));
  if (failed.length > 0) {
    await changeStored(instance, () => {
      if (poolStore.read(instance, name)?.active === undefined) poolStore.writeActive(instance, name, active);
    });
    throwErrors(failed);
  }
  return { name, uuid };
}

async function runWorks(works: readonly PoolWork[], instance: Instance, pool: Pool): Promise<void> {
  for (const work of works) await work(instance, pool);
}

/**
 * Records a pool as inactive. Throws "wrong-state" if it is another pool than before; "in-use". The caller
 * holds the registry's lock.
 */
function endActive(instance: Instance, key: string, seen: Pool | undefined) {
  const found = activePool(instance, key);
  const pool = readable(found.active);
  if (pool !== undefined) {
    const { check } = poolBackendOf(pool.type).end;
    if (check !== "always ends") check(instance, pool, seen);
  }
  if (found.defined === undefined) removePoolNotes(instance, found);
  poolStore.removeActive(instance, found.name);
  return { ...found, pool };
}

/** Returns the pool; undefined for a damaged file: it keeps no pool active. */
function readable(active: string): Pool | undefined {
  return unlessRefused(() => parsePoolText(active));
}
