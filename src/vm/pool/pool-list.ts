import { unlessRefused, unlessWorkRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import type { PoolType } from "../../storage/pool/pool-types.ts";
import { type ListedXml, type Selection, selectStored } from "../stored/select-stored.ts";
import { getUsage, type PoolUsage } from "./pool-facts.ts";

/** Pools to list. */
export interface PoolSelection extends Selection {
  /** Types to list; undefined: all. A pool with a damaged file has none. */
  readonly types: ReadonlySet<PoolType> | undefined;
}

/** A pool in a list, with its usage. */
export interface DetailedPool extends ListedXml, PoolUsage {}

/** Lists pools by their names. virStoragePoolObjMatch() of libvirt */
export function selectPools(
  instance: Instance,
  { types, ...selection }: PoolSelection,
): readonly ListedXml[] {
  const pools = selectStored(poolStore, instance, selection);
  if (types === undefined) return pools;
  return pools.filter(({ name }) => {
    const type = typeOf(instance, name);
    return type !== undefined && types.has(type);
  });
}

/** Adds the usage of each pool. A pool with a damaged file is inaccessible. */
export async function addUsage(
  instance: Instance,
  pools: readonly ListedXml[],
): Promise<readonly DetailedPool[]> {
  const usage = async ({ name }: ListedXml): Promise<PoolUsage> =>
    (await unlessWorkRefused(
      async () => await getUsage(instance, { active: poolStore.read(instance, name)?.active }),
    )) ?? { state: "inaccessible", space: undefined };
  return await Promise.all(pools.map(async (pool) => ({ ...pool, ...(await usage(pool)) })));
}

function typeOf(instance: Instance, name: string): PoolType | undefined {
  return unlessRefused(() => {
    const { active, defined } = poolStore.read(instance, name) ?? {};
    return parsePoolText(active ?? defined ?? "").type;
  });
}
