import type { PoolBackend } from "./backend.ts";
import { isNeverSame, listNone, refuseNone } from "./parts.ts";

/** Pool of ZFS. */
export const zfs = {
  parts: ["devices", "name"],
  needed: [],
  standardDir: "none",
  sourceFormats: "none",
  volumeFormats: "none",
  volumes: "devices",
  target: { within: "/dev/zvol" },
  options: "none",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: {
    missing: "run ZFS",
    remedy: "Leave the pool inactive, and write <disk type='block'> with the device into the domain.",
  },
  refuseSource: refuseNone,
  discovery: "none",
  takesDevices: true,
  isSameSource: isNeverSame,
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;
