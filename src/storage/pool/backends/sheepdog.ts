import type { PoolBackend } from "./backend.ts";
import { listNone, NETWORKED, refuseNone } from "./parts.ts";
import { isSameHost } from "./same-host.ts";

/** Cluster of Sheepdog. */
export const sheepdog = {
  parts: ["hosts", "name"],
  needed: ["hosts"],
  standardDir: "none",
  sourceFormats: "none",
  volumeFormats: "none",
  volumes: "on a server",
  target: "none",
  options: "none",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: { missing: "connect to Sheepdog", remedy: NETWORKED },
  refuseSource: refuseNone,
  discovery: "none",
  takesDevices: false,
  isSameSource: isSameHost,
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;
