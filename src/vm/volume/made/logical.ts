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
  describe: readGroup,
};

async function readGroup(host: Host, pool: Pool): Promise<readonly LogicalVolume[]> {
  const {
    readLogicalVolumes,
  }: typeof import("../../../resolve/pools/lvm-reports.ts") = require("../../../resolve/pools/lvm-reports.ts");
  const {
    volumeGroupOf,
  }: typeof import("../../../storage/pool/logical/group.ts") = require("../../../storage/pool/logical/group.ts");
  return await readLogicalVolumes(host, volumeGroupOf(pool));
}
