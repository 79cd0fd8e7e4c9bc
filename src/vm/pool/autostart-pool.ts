import { asSvirtError, SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { changeStored } from "../stored/change-stored.ts";
import { markStored, type StoredIdentity, startMarked } from "../stored/mark-stored.ts";
import type { Autostarted } from "../stored/start-each.ts";
import { definedPool } from "./find-pool.ts";
import { startPool } from "./start-pool.ts";

/**
 * Marks a defined pool to start at boot, or removes the mark. Throws "not-found", "unsupported" in a session,
 * "wrong-state" for a pool without a definition. storagePoolSetAutostart() of libvirt
 */
export async function markPool(instance: Instance, key: string, isMarked: boolean): Promise<StoredIdentity> {
  const kind = {
    store: poolStore,
    noun: "storage pool",
    startCommand: "pool-start POOL",
    change: changeStored,
    findDefined: (node: Instance, name: string) => definedPool(node, name, withoutFile),
  };
  return await markStored(instance, kind, { key, isMarked });
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
