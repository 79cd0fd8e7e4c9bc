import type { PoolBackend } from "./backend.ts";
import { FILES, listNone, refuseNone } from "./parts.ts";

/** Folder of the host. */
export const dir = {
  parts: [],
  needed: [],
  standardDir: "none",
  sourceFormats: "none",
  volumeFormats: FILES,
  volumes: "files",
  target: "written",
  options: "none",
  hasCow: true,
  listContradictions: listNone,
  mount: "none",
  start: "implemented",
  refuseSource: refuseNone,
  discovery: "none",
  takesDevices: false,
  isSameSource: (one, other) => one.target?.path === other.target?.path,
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;
