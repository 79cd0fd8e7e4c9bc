import type { PoolBackend } from "./backend.ts";

/** Multipath devices of the host. */
export const mpath = {
  isBuiltByStart: "never",
  build: () => [],
  start: { check: undefined },
  end: "holds nothing",
  refresh: [],
  remove: "not removed",
  findSources: "refused",
} as const satisfies PoolBackend;
