import { errorsOfWork, throwErrors, unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolNoteRemovals, removePoolNotes } from "../../state/pools/pool-notes.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import type { PoolEnd, PoolWork } from "./backends/backend.ts";
import { poolBackendOf } from "./backends/table.ts";
import { activePool, startedMeanwhile } from "./find-pool.ts";
import { poolWithoutPlan } from "./pool-without-plan.ts";

/**
 * Makes a pool inactive: unmounts what its start has mounted, logs out of its iSCSI target, or deactivates
 * its volume group. A server may take long, so the registry's lock is not held meanwhile. Throws "not-found",
 * "wrong-state"; "in-use" for a file system or a session that is in use, and the pool stays active.
 */
export async function endPool(instance: Instance, key: string): Promise<StoredIdentity> {
  const seen = readable(activePool(instance, key).active);
  const end = endOf(seen);
  if (seen === undefined || end === "holds nothing") return await carryOut(instance, heldEnd(key));
  const { before, withSource } = end;
  await runWorks(before, instance, seen);
  if (withSource === "shared") return await endRest(instance, key, seen);
  return await withSource(instance, seen, async () => await endRest(instance, key, seen));
}

/**
 * Returns the change of endPool() for a pool that holds nothing. Throws "unsupported" for a pool whose source
 * is released, since the steps do not say how.
 */
export function poolEnd(instance: Instance, key: string): Change<StoredIdentity> {
  const pool = readable(activePool(instance, key).active);
  if (pool !== undefined && endOf(pool) !== "holds nothing") throw poolWithoutPlan(pool);
  return heldEnd(key);
}

function heldEnd(key: string): Change<StoredIdentity> {
  return {
    kind: "pool",
    plan(instance) {
      const { active, defined, name, uuid } = activePool(instance, key);
      if (endOf(readable(active)) !== "holds nothing") throw startedMeanwhile(name);
      const notes = defined === undefined ? poolNoteRemovals(instance, { uuid }) : [];
      const steps = [...notes, poolStore.activeStep(instance, name, undefined)];
      const commit = notes.length;
      return plannedOf({ kind: "pool", name, uuid }, { command: "pool-destroy", steps, commit });
    },
  };
}

/** Returns the end of a pool. A damaged file keeps nothing. */
function endOf(pool: Pool | undefined): PoolEnd | "holds nothing" {
  return pool === undefined ? "holds nothing" : poolBackendOf(pool.type).end;
}

/** Records that a pool is inactive, and releases its source. If that fails, the pool is active again. */
async function endRest(instance: Instance, key: string, seen: Pool): Promise<StoredIdentity> {
  const { active, name, pool, uuid } = await changeStored(instance, () => endActive(instance, key, seen));
  const end = endOf(pool);
  if (pool === undefined || end === "holds nothing") return { name, uuid };
  const failed = await errorsOfWork(async () => await runWorks(end.after, instance, pool));
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
function endActive(instance: Instance, key: string, seen: Pool) {
  const found = activePool(instance, key);
  const pool = readable(found.active);
  const end = endOf(pool);
  if (pool !== undefined && end !== "holds nothing") end.check(instance, pool, seen);
  if (found.defined === undefined) removePoolNotes(instance, found);
  poolStore.removeActive(instance, found.name);
  return { ...found, pool };
}

/** Returns the pool; undefined for a damaged file: it keeps no pool active. */
function readable(active: string): Pool | undefined {
  return unlessRefused(() => parsePoolText(active));
}
