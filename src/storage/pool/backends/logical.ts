import type { PoolBackend } from "./backend.ts";
import { listNone, refuseNone } from "./parts.ts";

/** Volume group of LVM. */
export const logical = {
  parts: ["devices", "name"],
  needed: [],
  standardDir: "none",
  // virStoragePoolFormatLogical
  sourceFormats: { standard: "lvm2", values: ["unknown", "lvm2"] },
  volumeFormats: "none",
  volumes: "devices",
  target: { within: "/dev" },
  options: "none",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: "implemented",
  refuseSource: refuseNone,
  discovery: "implemented",
  takesDevices: true,
  // Beyond libvirt, a volume group is a single source, whatever devices are named.
  isSameSource: (one, other) => one.source.name === other.source.name,
  denied: { at: "use", attempt: (name) => `use a volume group for the storage pool '${name}'` },
  hasDiskMode: false,
} as const satisfies PoolBackend;
