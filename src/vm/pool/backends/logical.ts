import { devicesSpace } from "../../../resolve/pools/pool-devices.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { refuseOtherSource } from "../find-pool.ts";
import { findGroups } from "../made/find-groups.ts";
import { planGroup, planGroupRemoval } from "../made/make-group.ts";
import {
  GROUP_SOURCE,
  groupStart,
  planGroupEnd,
  refuseUsedGroup,
  whileActivating,
} from "../made/volume-group.ts";
import { refuseKey } from "../refuse-key.ts";
import type { BuildPart, PoolBackend, Removal } from "./backend.ts";

const MAKE_GROUP: BuildPart = {
  isHeld: false,
  overwrites: true,
  plan: async (instance, pool, { formatting = "no-overwrite" }) =>
    await planGroup(instance, pool, formatting),
};

const REMOVE_GROUP: Removal = {
  // LVM may wait for a disk.
  isHeld: false,
  withSource: whileActivating,
  plan: async (instance, pool) => {
    refuseKey(instance, pool);
    return await planGroupRemoval(instance, pool);
  },
};

/** Volume group of LVM. */
export const logical = {
  isBuiltByStart: "never",
  build: () => [MAKE_GROUP],
  start: groupStart,
  end: {
    before: async () => [],
    explain: "as it is",
    source: GROUP_SOURCE,
    check: refuseUnendable,
    after: planGroupEnd,
  },
  refresh: [lookForGroup],
  remove: REMOVE_GROUP,
  findSources: async ({ host }) => await findGroups(host),
} as const satisfies PoolBackend;

/** Another group is not locked. */
function refuseUnendable(instance: Instance, pool: Pool, seen: Pool): void {
  refuseOtherSource(pool, seen);
  refuseUsedGroup(instance, pool);
}

/** Asks LVM for the volume group of a pool. Throws "failed" without it. */
async function lookForGroup({ host }: Instance, pool: Pool): Promise<void> {
  await devicesSpace(host, pool);
}
