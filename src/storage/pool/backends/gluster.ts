import type { PoolBackend } from "./backend.ts";
import { FILES, listNone, NETWORKED, refuseNone } from "./parts.ts";
import { isSameHost } from "./same-host.ts";

/** Volume of Gluster. */
export const gluster = {
  parts: ["hosts", "dir", "name"],
  needed: ["hosts"],
  standardDir: { path: "/" },
  sourceFormats: "none",
  volumeFormats: FILES,
  volumes: "on a server",
  target: "none",
  options: "none",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: { missing: "connect to Gluster", remedy: NETWORKED },
  refuseSource: refuseNone,
  discovery: { command: "gluster --remote-host=HOST volume list" },
  takesDevices: false,
  isSameSource: (one, other) =>
    isSameHost(one, other) &&
    one.source.dir?.path === other.source.dir?.path &&
    one.source.name === other.source.name,
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;
