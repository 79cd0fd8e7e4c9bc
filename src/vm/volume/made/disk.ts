import type { VolumeBackend } from "./volume-backend.ts";

/** Partitions of a disk. */
export const disk: VolumeBackend = {
  create: async (...call) => await (await import("./partitions.ts")).createPartition(...call),
  planCreation: async (...call) => await (await import("./partitions.ts")).planPartition(...call),
  hasSparse: false,
  planRemoval: async (...call) => await (await import("./remove-partition.ts")).planPartitionRemoval(...call),
  // The data is in its place before the table has the partition.
  parts: "leaves none",
  describe: "by sysfs alone",
};
