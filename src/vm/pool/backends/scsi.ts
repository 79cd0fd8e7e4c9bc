import type { PoolBackend } from "./backend.ts";

/** Units of a SCSI host. */
export const scsi = {
  isBuiltByStart: "never",
  build: () => [],
  start: { check: undefined },
  end: "holds nothing",
  refresh: [],
  remove: "not removed",
  findSources: "refused",
} as const satisfies PoolBackend;
