import { asSvirtError, SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { refuseInSession, type StoredIdentity, startMarked } from "../stored/mark-stored.ts";
import type { Autostarted } from "../stored/start-each.ts";
import { definedPool } from "./find-pool.ts";
import { startPool } from "./start-pool.ts";

/**
 * Marks a defined pool to start at boot, or removes the mark. Throws "not-found", "unsupported" in a session,
 * "wrong-state" for a pool without a definition. storagePoolSetAutostart() of libvirt
 */
export async function markPool(instance: Instance, key: string, isMarked: boolean): Promise<StoredIdentity> {
  return await carryOut(instance, poolMark(key, isMarked));
}

/** Returns the change of markPool(). */
export function poolMark(key: string, isMarked: boolean): Change<StoredIdentity> {
  return {
    kind: "pool",
    plan(instance) {
      refuseInSession(instance, "storage pool", "pool-start POOL");
      const { name, uuid } = definedPool(instance, key, withoutFile);
      const steps = poolStore.markSteps(instance, name, isMarked);
      return plannedOf({ kind: "pool", name, uuid }, { command: "pool-autostart", steps, commit: "last" });
    },
  };
}

function withoutFile(remedy: string): SvirtError {
  return new SvirtError("internal error: pool has no config file", {
    kind: "wrong-state",
    libvirt: "INTERNAL_ERROR",
    from: "STORAGE",
    remedy,
  });
}

/**
 * Starts the marked pools that are inactive. Never throws for a single pool. storageDriverAutostartCallback()
 * of libvirt
 */
export async function startMarkedPools(instance: Instance): Promise<Autostarted> {
  return await startMarked(instance, poolStore, async (name) => {
    try {
      await startPool(instance, name, { isBuilt: false });
    } catch (error) {
      const { kind, message, remedy } = asSvirtError(error);
      throw new SvirtError(`Failed to autostart storage pool '${name}': ${message}`, {
        kind,
        remedy,
        cause: error,
      });
    }
    return { did: true };
  });
}
