import { devicesSpace } from "../../../resolve/pools/pool-devices.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { withLockedDevices } from "../device/locked-devices.ts";
import { findGroups } from "../made/find-groups.ts";
import { makeGroup, removeGroup } from "../made/make-group.ts";
import { endGroup, refuseUsedGroup, withActiveGroup } from "../made/volume-group.ts";
import { refuseKey } from "../refuse-key.ts";
import { startHeld } from "../start-held.ts";
import type { BuildWork, PoolBackend, RemoveWork } from "./backend.ts";

const MAKE_GROUP: BuildWork = {
  isHeld: false,
  overwrites: true,
  run: async (instance, pool, { formatting = "no-overwrite" }) =>
    await withLockedDevices(instance, pool, async () => await makeGroup(instance, pool, formatting)),
};

const REMOVE_GROUP: RemoveWork = {
  // LVM may wait for a disk.
  isHeld: false,
  run: async (instance, pool) => {
    refuseKey(instance, pool);
    await removeGroup(instance, pool);
  },
};

/** Volume group of LVM. */
export const logical = {
  isBuiltByStart: "never",
  build: () => [MAKE_GROUP],
  start: async (instance, start) =>
    await withActiveGroup(instance, start.seen, async () => await startHeld(instance, start)),
  end: { before: [], withSource: "shared", check: refuseUsedGroup, after: [endGroup] },
  refresh: [lookForGroup],
  remove: REMOVE_GROUP,
  findSources: async ({ host }) => await findGroups(host),
} as const satisfies PoolBackend;

/** Asks LVM for the volume group of a pool. Throws "failed" without it. */
async function lookForGroup({ host }: Instance, pool: Pool): Promise<void> {
  await devicesSpace(host, pool);
}
