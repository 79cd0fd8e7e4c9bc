import { unlessRefused } from "../../errors.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Instance } from "../../state/instance.ts";
import { poolNoteRemovals } from "../../state/pools/pool-notes.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { poolWork } from "../object-change/noted-work.ts";
import { carryOutEither, type SlowChange } from "../object-change/slow-change.ts";
import { changeStored } from "../stored/change-stored.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import type { PoolEnd } from "./backends/backend.ts";
import { poolBackendOf } from "./backends/table.ts";
import { findLeftPool, leftEnd } from "./end-left.ts";
import { activePool, startedMeanwhile } from "./find-pool.ts";
import { removeOverPoolNotes } from "./left-work.ts";
import type { PoolSource } from "./start-held.ts";

/**
 * Makes a pool inactive: unmounts what its start has mounted, logs out of its iSCSI target, or deactivates
 * its volume group. A server may take long, so the registry's lock is not held meanwhile. Throws "not-found",
 * "wrong-state"; "in-use" for a file system or a session that is in use, and the pool stays active. It also
 * releases the source of an inactive pool left up by a killed start or end.
 */
export async function endPool(instance: Instance, key: string): Promise<StoredIdentity> {
  removeOverPoolNotes(instance);
  return await carryOutEither(instance, poolEnd(instance, key));
}

/** Returns the change of endPool(). Throws "not-found", "wrong-state". */
export function poolEnd(
  instance: Instance,
  key: string,
): Change<StoredIdentity> | SlowChange<StoredIdentity> {
  const left = findLeftPool(instance, key);
  if (left !== undefined) return leftEnd(left);
  const pool = readable(activePool(instance, key).active);
  const parts = partsOf(pool);
  return pool === undefined || parts === "holds nothing" ? heldEnd(key) : slowEnd(key, pool, parts);
}

function heldEnd(key: string): Change<StoredIdentity> {
  return {
    kind: "pool",
    plan(instance) {
      const { name, pool, steps, uuid } = inactiveSteps(instance, key);
      if (partsOf(pool) !== "holds nothing") throw startedMeanwhile(name);
      return plannedOf({ kind: "pool", name, uuid }, { command: "pool-destroy", steps, commit: "last" });
    },
  };
}

/** Returns the end of a pool whose source is released, which may take long. */
function slowEnd(key: string, seen: Pool, parts: PoolEnd): SlowChange<StoredIdentity> {
  const { after, before, check, explain, source } = parts;
  return {
    kind: "pool",
    ...(source === "shared" ? {} : sourceOf(seen, source)),
    async plan(instance) {
      const [first, last] = [await before(instance, seen), await after(instance, seen)];
      const { steps, ...found } = await changeStored(instance, () => {
        if (first.length === 0) check(instance, seen, seen);
        return inactiveSteps(instance, key);
      });
      return plannedOf(
        { kind: "pool", ...found },
        { command: "pool-destroy", steps: [...first, ...steps, ...last], commit: "repeat" },
      );
    },
    async run(instance, run) {
      const steps = await before(instance, seen);
      try {
        await run(steps);
      } catch (error) {
        throw explain === "as it is" ? error : await explain(instance, seen, error);
      }
      const { pool, ...identity } = await changeStored(instance, async () => {
        const { steps: rest, ...found } = inactiveSteps(instance, key);
        if (found.pool !== undefined && partsOf(found.pool) !== parts) throw startedMeanwhile(found.name);
        if (found.pool !== undefined) check(instance, found.pool, seen);
        await run(rest);
        return found;
      });
      if (pool !== undefined) await run(await after(instance, pool));
      return identity;
    },
  };
}

/** Returns the lock of a pool's source, and the note of its release. */
function sourceOf(seen: Pool, { hold, isUp }: PoolSource): Pick<SlowChange<unknown>, "hold" | "noted"> {
  return {
    hold: async (instance, work) => await hold(instance, seen, work),
    noted: {
      work: (instance) => poolWork(instance, seen, { command: "pool-destroy", kind: "source" }),
      isNeeded: (instance) => isUp(instance, seen),
    },
  };
}

/** Returns the steps that record a pool as inactive, and the pool. */
function inactiveSteps(
  instance: Instance,
  key: string,
): StoredIdentity & { readonly pool: Pool | undefined; readonly steps: readonly Step[] } {
  const { active, defined, name, uuid } = activePool(instance, key);
  const notes = defined === undefined ? poolNoteRemovals(instance, { uuid }) : [];
  const steps = [...notes, poolStore.activeStep(instance, name, undefined)];
  return { name, uuid, pool: readable(active), steps };
}

/** Returns the parts of the end of a pool. A damaged file keeps nothing. */
function partsOf(pool: Pool | undefined): PoolEnd | "holds nothing" {
  return pool === undefined ? "holds nothing" : poolBackendOf(pool.type).end;
}

/** Returns the pool; undefined for a damaged file: it keeps no pool active. */
function readable(active: string): Pool | undefined {
  return unlessRefused(() => parsePoolText(active));
}
