import { canonical } from "../../domain/forms/canonical.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import type { StoredXml } from "../../state/xml-store.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { findStored } from "../stored/find-stored.ts";

/** Returns the pool with that UUID or name, in virsh's order. Throws "not-found" with libvirt's message. */
export function findPool(instance: Instance, key: string): StoredXml {
  const found = findStored(poolStore, instance, key);
  if (found !== undefined) return found;
  throw new SvirtError(`Storage pool not found: no storage pool with matching name '${key}'`, {
    kind: "not-found",
    libvirt: "NO_STORAGE_POOL",
    remedy: "svirt pool-list --all lists the pools.",
  });
}

/** Returns an active pool, with its XML. Throws "not-found"; "wrong-state" with libvirt's message. */
export function activePool(instance: Instance, key: string): StoredXml & { readonly active: string } {
  const { active, ...pool } = findPool(instance, key);
  if (active !== undefined) return { ...pool, active };
  throw invalid(`storage pool '${pool.name}' is not active`, `Start it: svirt pool-start ${pool.name}`);
}

/**
 * Returns an inactive pool, with its XML. `word` gives libvirt's refusal of an active pool. Throws
 * "not-found"; "wrong-state" with libvirt's message.
 */
export function inactivePool(
  instance: Instance,
  key: string,
  word: "already" | "still",
): StoredXml & { readonly defined: string } {
  const { active, defined = "", ...pool } = findPool(instance, key);
  if (active === undefined) return { ...pool, active, defined };
  throw invalid(
    `storage pool '${pool.name}' is ${word} active`,
    `Make it inactive first: svirt pool-destroy ${pool.name}`,
  );
}

/**
 * Returns a pool with a definition. Throws "not-found", and the error with the remedy for a pool without a
 * definition.
 */
export function definedPool(
  instance: Instance,
  key: string,
  withRemedy: (remedy: string) => SvirtError,
): StoredXml & { readonly defined: string } {
  const { defined, ...pool } = findPool(instance, key);
  if (defined !== undefined) return { ...pool, defined };
  throw withRemedy(`Define it first: svirt pool-dumpxml ${pool.name} | svirt pool-define -`);
}

/** Throws "wrong-state" if a pool was started with another source since it was looked at. */
export function refuseOtherSource(pool: Pool, seen: Pool): void {
  if (canonical(pool.source) !== canonical(seen.source)) throw startedMeanwhile(pool.name);
}

/** Returns the refusal of an end of a pool that was started with another source since it was looked at. */
export function startedMeanwhile(name: string): SvirtError {
  return invalid(`storage pool '${name}' was started with another target meanwhile`, "Repeat the command.");
}

/** Returns the refusal of an operation in the pool's state. VIR_ERR_OPERATION_INVALID of libvirt */
export function invalid(why: string, remedy: string): SvirtError {
  return new SvirtError(`Requested operation is not valid: ${why}`, {
    kind: "wrong-state",
    from: "STORAGE",
    remedy,
  });
}

/**
 * Returns the pool with that name or UUID, and not by the other. Throws "not-found" with libvirt's message.
 * storagePoolLookupByName() and storagePoolLookupByUUID() of libvirt
 */
export function lookUpPool(instance: Instance, by: "name" | "uuid", key: string): StoredXml {
  const found = findStored(poolStore, instance, key);
  return found?.[by] === key ? found : throwUnknown(`${by} '${key}'`);
}

/**
 * Returns the pool found by a client before: only its UUID counts. Throws as lookUpPool() does, with the
 * client's name for it. virStoragePoolObjFromStoragePool() of libvirt
 */
export function lookUpKnownPool(
  instance: Instance,
  { name, uuid }: { readonly name: string; readonly uuid: string },
): StoredXml {
  const found = findStored(poolStore, instance, uuid);
  return found?.uuid === uuid ? found : throwUnknown(`uuid '${uuid}' (${name})`);
}

function throwUnknown(wanted: string): never {
  throw new SvirtError(`Storage pool not found: no storage pool with matching ${wanted}`, {
    kind: "not-found",
    libvirt: "NO_STORAGE_POOL",
    remedy: "svirt pool-list --all lists the pools.",
  });
}
