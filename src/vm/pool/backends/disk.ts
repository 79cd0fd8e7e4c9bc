import { refuseUnlabelled } from "../device/refuse-unlabelled.ts";
import { makeTable } from "../made/make-table.ts";
import { startHeld } from "../start-held.ts";
import { type BuildWork, NO_END, type PoolBackend } from "./backend.ts";

const MAKE_TABLE: BuildWork = {
  isHeld: true,
  overwrites: true,
  run: async (instance, pool, { formatting = "no-overwrite" }) => await makeTable(instance, pool, formatting),
};

/** Disk with partitions as volumes. */
export const disk = {
  isBuiltByStart: "never",
  build: () => [MAKE_TABLE],
  start: async (instance, start) => await startHeld(instance, start, refuseUnlabelled),
  end: NO_END,
  refresh: [],
  remove: "not removed",
  findSources: "refused",
} as const satisfies PoolBackend;
