import type { Host } from "../../../host/host.ts";
import type { LogicalVolume } from "../../../storage/pool/logical/reports.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import type { VolumeBackend } from "./volume-backend.ts";

/** Volumes of a volume group. */
export const logical: VolumeBackend = {
  create: async (...call) => await (await import("./create-logical.ts")).createLogicalVolume(...call),
  fill: async (...call) => await (await import("./create-logical.ts")).createFilledVolume(...call),
  hasSparse: true,
  remove: async (instance, pool, { name }) => {
    const { removeLogicalVolume }: typeof import("./logical-volume.ts") = require("./logical-volume.ts");
    await removeLogicalVolume(instance, pool, name);
  },
  parts: {
    list: (instance, pool) => parts().listLeftVolumes(instance, groupOf(pool.storage)),
    remove: async (instance, pool) => await parts().removeLeftVolumes(instance, groupOf(pool.storage)),
  },
  describe: readGroup,
};

function parts(): typeof import("../../pool/made/remove-partial-volumes.ts") {
  return require("../../pool/made/remove-partial-volumes.ts");
}

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
