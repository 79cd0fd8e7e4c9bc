import type { Host } from "../../../host/host.ts";
import type { LogicalVolume } from "../../../storage/pool/logical/reports.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import type { VolumeBackend } from "./volume-backend.ts";

/** Volumes of a volume group. */
export const logical: VolumeBackend = {
  create: async (...call) => await (await import("./create-logical.ts")).createLogicalVolume(...call),
  planCreation: async (...call) => await (await import("./create-logical.ts")).planLogicalVolume(...call),
  hasSparse: true,
  planRemoval: async (instance, pool, { name }) =>
    await (await import("./remove-logical.ts")).planLogicalRemoval(instance, pool, name),
  parts: {
    list: (instance, pool) => {
      const {
        listLeftVolumes,
      }: typeof import("../../pool/made/remove-partial-volumes.ts") = require("../../pool/made/remove-partial-volumes.ts");
      return listLeftVolumes(instance, groupOf(pool.storage));
    },
    remove: async (instance, pool) => {
      const { removeLeftVolumes } = await import("../../pool/made/remove-partial-volumes.ts");
      await removeLeftVolumes(instance, groupOf(pool.storage));
    },
  },
  describe: readGroup,
};

async function readGroup(host: Host, pool: Pool): Promise<readonly LogicalVolume[]> {
  const {
    readLogicalVolumes,
  }: typeof import("../../../resolve/pools/lvm-reports.ts") = require("../../../resolve/pools/lvm-reports.ts");
  return await readLogicalVolumes(host, groupOf(pool));
}

function groupOf(pool: Pool): string {
  const {
    volumeGroupOf,
  }: typeof import("../../../storage/pool/logical/group.ts") = require("../../../storage/pool/logical/group.ts");
  return volumeGroupOf(pool);
}
