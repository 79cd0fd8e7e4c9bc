import type { PoolBackend } from "./backend.ts";
import { FILES, listNone, refuseNone, UNMOUNTED } from "./parts.ts";

/** Cluster of Virtuozzo Storage. */
export const vstorage = {
  parts: ["name"],
  needed: [],
  standardDir: "none",
  sourceFormats: "none",
  volumeFormats: FILES,
  volumes: "files",
  target: "written",
  options: "none",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: { missing: "mount Virtuozzo Storage", remedy: UNMOUNTED.remedy },
  refuseSource: refuseNone,
  discovery: "none",
  takesDevices: false,
  isSameSource: (one, other) => one.source.name === other.source.name,
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;
