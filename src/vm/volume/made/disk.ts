import type { VolumeBackend } from "./volume-backend.ts";

/** Partitions of a disk. */
export const disk: VolumeBackend = {
  create: async (instance, pool, volume) =>
    await (await import("./partitions.ts")).createPartition(instance, pool, { volume }),
  fill: async (...call) => await (await import("./partitions.ts")).createPartition(...call),
  hasSparse: false,
  remove: async (instance, pool, volume) => {
    const { removePartition }: typeof import("./partitions.ts") = require("./partitions.ts");
    await removePartition(instance, pool, volume);
  },
  // The data is in its place before the table has the partition.
  parts: "leaves none",
  describe: "by sysfs alone",
};
