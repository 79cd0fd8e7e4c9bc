import { isServerType, type MountOrder } from "../mount/mount-order.ts";
import type { SourcedPool } from "../pool-types.ts";
import type { PoolSource } from "../source/source.ts";
import type { Contradiction, PoolBackend, Refused } from "./backend.ts";
import { FILES, mountOf, refuseSecond, UNMOUNTED } from "./parts.ts";
import { isSameHost } from "./same-host.ts";

/** Formats with an optional version of their protocol. */
const VERSIONED: readonly string[] = ["auto", "nfs"];
/** Formats of other servers, not mounted by svirt. */
const UNKNOWN_SERVERS: readonly string[] = ["glusterfs", "cifs"];

/** Folder of a file server, mounted by a start. */
export const netfs = {
  parts: ["hosts", "dir"],
  needed: ["hosts", "dir"],
  standardDir: "none",
  // virStoragePoolFormatFileSystemNet
  sourceFormats: { standard: "auto", values: ["auto", "nfs", "glusterfs", "cifs"] },
  volumeFormats: FILES,
  volumes: "files",
  target: "written",
  options: "mount",
  hasCow: false,
  listContradictions: listVersions,
  mount: {
    isOfDevice: false,
    isMountedAs: isServerType,
    plan: planServer,
  },
  start: "implemented",
  refuseSource: refuseServer,
  discovery: "implemented",
  takesDevices: false,
  isSameSource: (one, other) => isSameHost(one, other) && one.source.dir?.path === other.source.dir?.path,
  denied: { at: "use", attempt: mountOf },
  hasDiskMode: false,
} as const satisfies PoolBackend;

function listVersions({ format, protocol }: PoolSource): readonly Contradiction[] {
  if (protocol === undefined || format === undefined || VERSIONED.includes(format.type)) return [];
  return [
    [
      "source/protocol",
      `storage pool protocol ver unsupported for pool type '${format.type}'`,
      "Leave <protocol> out of <source>.",
    ],
  ];
}

/** The rules of mounts are loaded on demand: most commands on volumes mount nothing. */
function planServer(pool: SourcedPool): MountOrder {
  const { planServerMount }: typeof import("../mount/plan-mount.ts") = require("../mount/plan-mount.ts");
  return planServerMount(pool);
}

function refuseServer({ format, hosts }: PoolSource): Refused | "none" {
  if (format !== undefined && UNKNOWN_SERVERS.includes(format.type))
    return { ...UNMOUNTED, missing: `mount ${format.type}`, place: "source/format/@type" };
  return refuseSecond("host", hosts);
}
