import { unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools.ts";
import type { StoredXml } from "../../state/xml-store.ts";
import { formatPool, type PoolSpace, parsePoolText } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/keep-pool.ts";
import { type ShownXml, showStored } from "../stored/show-stored.ts";
import { findPool } from "./find-pool.ts";

/** State of a pool, as virsh names it. */
type PoolState = "inactive" | "running" | "inaccessible";

/** State of a pool, and its space while it runs. */
export interface PoolUsage {
  readonly state: PoolState;
  /** Undefined unless the pool is running. */
  readonly space: PoolSpace | undefined;
}

/** Facts about a pool, as virsh's pool-info has them. */
export interface PoolFacts extends PoolUsage {
  readonly name: string;
  readonly uuid: string;
  readonly persistent: boolean;
  readonly autostart: boolean;
}

/** Returns facts about a pool. Throws "not-found"; "xml" for a damaged file. */
export function getPoolFacts(instance: Instance, key: string): PoolFacts {
  const stored = findPool(instance, key);
  const { defined, name, uuid } = stored;
  return {
    name,
    uuid,
    ...getUsage(instance, stored),
    persistent: defined !== undefined,
    autostart: defined !== undefined && poolStore.isAutostarted(instance, name),
  };
}

/** Returns the state of a pool and its space now. A pool is inaccessible while its folder is missing. */
export function getUsage(instance: Instance, { active }: Pick<StoredXml, "active">): PoolUsage {
  if (active === undefined) return { state: "inactive", space: undefined };
  const space = spaceOf(instance, parsePoolText(active));
  return { state: space === undefined ? "inaccessible" : "running", space };
}

/** Returns the XML of a pool as it is active, with its space, or as it is defined, or in the form that it has. Throws "not-found". */
export function getPoolXml(instance: Instance, key: string, form: "active" | "defined"): ShownXml {
  return showStored(findPool(instance, key), form, (active) => {
    const pool = parsePoolText(active);
    return formatPool(pool, spaceOf(instance, pool));
  });
}

/** Returns the space of the file system with the pool's folder; undefined without the folder. statvfs(3) */
function spaceOf({ host }: Instance, { target }: Pool): PoolSpace | undefined {
  const path = target?.path ?? "";
  return unlessRefused(() => {
    const facts = host.inspectFile(path);
    if (facts?.type !== "folder" || facts.id.path !== path) return undefined;
    const { freeBytes, sizeBytes } = host.getSpace(facts.id);
    return {
      capacityBytes: sizeBytes,
      allocationBytes: sizeBytes - freeBytes,
      availableBytes: freeBytes,
    };
  });
}
