import type { PoolBackend } from "./backend.ts";
import { listNone, refuseNone } from "./parts.ts";

/** Multipath devices of the host. */
export const mpath = {
  parts: [],
  needed: [],
  standardDir: "none",
  sourceFormats: "none",
  volumeFormats: "none",
  volumes: "devices",
  target: "written",
  options: "none",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: "implemented",
  refuseSource: refuseNone,
  discovery: "none",
  takesDevices: false,
  isSameSource: () => true,
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;
