import type { PoolBackend } from "./backend.ts";
import { isNeverSame, listNone, NETWORKED, refuseNone } from "./parts.ts";

/** Pool of Ceph. */
export const rbd = {
  parts: ["hosts", "name"],
  needed: ["hosts", "name"],
  standardDir: "none",
  sourceFormats: "none",
  volumeFormats: { standard: "raw", values: [] },
  volumes: "on a server",
  target: "none",
  options: "ceph",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: { missing: "connect to Ceph", remedy: NETWORKED },
  refuseSource: refuseNone,
  discovery: "none",
  takesDevices: false,
  isSameSource: isNeverSame,
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;
