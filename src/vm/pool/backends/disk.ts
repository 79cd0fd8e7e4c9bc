import { refuseUnlabelled } from "../device/refuse-unlabelled.ts";
import { planTable } from "../made/make-table.ts";
import type { BuildPart, PoolBackend } from "./backend.ts";

const MAKE_TABLE: BuildPart = {
  isHeld: true,
  overwrites: true,
  plan: (instance, pool, { formatting = "no-overwrite" }) => [planTable(instance, pool, formatting)],
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
