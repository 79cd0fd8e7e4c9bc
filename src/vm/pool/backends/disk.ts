import { refuseUnlabelled } from "../device/refuse-unlabelled.ts";
import { makeTable } from "../made/make-table.ts";
import type { BuildWork, PoolBackend } from "./backend.ts";

const MAKE_TABLE: BuildWork = {
  isHeld: true,
  overwrites: true,
  run: async (instance, pool, { formatting = "no-overwrite" }) => await makeTable(instance, pool, formatting),
};

/** Disk with partitions as volumes. */
export const disk = {
  isBuiltByStart: "never",
  build: () => [MAKE_TABLE],
  start: { check: refuseUnlabelled },
  end: "holds nothing",
  refresh: [],
  remove: "not removed",
  findSources: "refused",
} as const satisfies PoolBackend;
