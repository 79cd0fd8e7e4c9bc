import { unlessRefused } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import type { Held } from "./make-target.ts";
import { openPool, type PoolStart } from "./open-target.ts";
import { withTargetLock } from "./target-lock.ts";

/**
 * Further look at the source, which is also done before the lock is taken: on a disk that hangs, this command
 * then waits alone.
 */
export type SourceCheck = (host: Host, pool: Pool) => void;

/**
 * Makes a pool active whose source is there: checks it under the registry's lock, and records the pool.
 */
export async function startHeld(
  instance: Instance,
  start: PoolStart,
  check?: SourceCheck,
): Promise<StoredIdentity> {
  // A build has used the source already.
  if (!start.options.isBuilt) unlessRefused(() => check?.(instance.host, start.seen));
  return await carryOut(instance, heldStart(start, check));
}

/** Returns the change of startHeld(). Its plan makes the folder if the start is to build it. */
export function heldStart(
  { choose, command, options, seen }: Omit<PoolStart, "end">,
  check?: SourceCheck,
): Change<StoredIdentity> {
  let held: Held = new Map();
  return {
    kind: "pool",
    hold: async (instance, work) =>
      await withTargetLock(instance, { pool: seen, isBuilt: options.isBuilt }, async (found) => {
        held = found;
        return await work();
      }),
    plan(instance) {
      const { name, pool, uuid, xml } = choose();
      openPool(instance, pool, { ...options, held });
      check?.(instance.host, pool);
      const steps = [poolStore.activeStep(instance, name, xml)];
      return plannedOf({ kind: "pool", name, uuid }, { command, steps, commit: "last" });
    },
  };
}
