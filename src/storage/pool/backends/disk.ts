import type { PoolBackend } from "./backend.ts";
import { isNeverSame, listNone, refuseNone } from "./parts.ts";

/** Disk with partitions as volumes. */
export const disk = {
  parts: ["devices"],
  needed: ["devices"],
  standardDir: "none",
  // virStoragePoolFormatDisk
  sourceFormats: {
    standard: "unknown",
    values: ["unknown", "dos", "dvh", "gpt", "mac", "bsd", "pc98", "sun", "lvm2"],
  },
  // virStorageVolFormatDisk
  volumeFormats: {
    standard: "none",
    values: ["none", "linux", "fat16", "fat32", "linux-swap", "linux-lvm", "linux-raid", "extended"],
  },
  volumes: "devices",
  target: "written",
  options: "none",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: "implemented",
  refuseSource: refuseNone,
  discovery: "none",
  takesDevices: true,
  isSameSource: isNeverSame,
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;
