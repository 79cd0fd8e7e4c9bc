import { SvirtError } from "../../../errors.ts";
import type { Pool, PoolTarget } from "../keep-pool.ts";
import { POOL_TYPE_FACTS, type PoolType } from "../pool-types.ts";

/** Operation that svirt lacks, and what an administrator does instead. */
interface Missing {
  readonly missing: string;
  readonly remedy: string;
}

/** Refusal with its place below /pool. */
interface Refused extends Missing {
  readonly place: string;
}

const MOUNTED: Missing = {
  missing: "mount file systems",
  remedy: "Mount it yourself, by /etc/fstab for example, and define a pool of type dir on the mount point.",
};
const NETWORKED =
  "Leave the pool inactive, and write <source protocol='…'> of the server into the domain's disk.";
const BLOCK = "Leave the pool inactive, and write <disk type='block'> with the device into the domain.";

/** Operation that pools of each type lack; undefined: they are built and started. */
const MISSING: Readonly<Record<PoolType, Missing | undefined>> = {
  dir: undefined,
  fs: undefined,
  netfs: undefined,
  logical: undefined,
  disk: undefined,
  iscsi: undefined,
  "iscsi-direct": { missing: "connect to iSCSI targets", remedy: NETWORKED },
  scsi: undefined,
  mpath: undefined,
  rbd: { missing: "connect to Ceph", remedy: NETWORKED },
  sheepdog: { missing: "connect to Sheepdog", remedy: NETWORKED },
  gluster: { missing: "connect to Gluster", remedy: NETWORKED },
  zfs: { missing: "run ZFS", remedy: BLOCK },
  vstorage: { missing: "mount Virtuozzo Storage", remedy: MOUNTED.remedy },
};

const COPY_ON_WRITE = {
  place: "features/cow",
  missing: "set copy-on-write of a folder",
  remedy: "Run chattr(1) on the folder, and leave <features> out of <pool>.",
};

/** Pool with a target: a folder with its volumes, or one of the device nodes that are its volumes. */
export type TargetPool = Pool & { readonly target: PoolTarget };

/** Whether the volumes of a pool are files in its target. Otherwise they are block devices of the host. */
export function hasFolder({ type }: Pool): boolean {
  return POOL_TYPE_FACTS[type].isFolder === true;
}

/** Whether pools of this type are built and started. */
export function isStartable(type: PoolType): boolean {
  return MISSING[type] === undefined;
}

/** Treatment of content that a pool's device already has when it gets a file system. */
export type Formatting = "overwrite" | "no-overwrite";

/** Operation on a pool's storage. */
export type PoolOperation = "start" | "build" | "delete" | "refresh";

/** Returns the pool if svirt can do that to it. Throws "unsupported" for any other, and says what to do instead. */
export function supportedPool(pool: Pool, operation: PoolOperation): TargetPool {
  const { features, target, type } = pool;
  const lacks = MISSING[type];
  if (lacks !== undefined) throw refusal(pool, operation, { ...lacks, place: "@type" });
  const unmounted = unmountable(pool);
  if (unmounted !== undefined) throw refusal(pool, operation, unmounted);
  if (features !== undefined && operation === "build") throw refusal(pool, operation, COPY_ON_WRITE);
  // The form requires it of each type that starts.
  if (target === undefined) throw new Error(`a pool of type ${type} has no target`);
  return { ...pool, target };
}

/** Returns what keeps a file system from being mounted. virStorageBackendFileSystemIsValid() of libvirt */
function unmountable({ source: { devices, format, hosts }, type }: Pool): Refused | undefined {
  const others = format?.type;
  if (type === "netfs" && (others === "glusterfs" || others === "cifs"))
    return { ...MOUNTED, missing: `mount ${others}`, place: "source/format/@type" };
  const most = Math.max(devices.length, hosts.length);
  if ((type !== "fs" && type !== "netfs") || most < 2) return undefined;
  const [part, place] = type === "fs" ? ["device", "source/device[2]"] : ["host", "source/host[2]"];
  return { missing: `mount more than one ${part}`, remedy: `Leave one <${part}> in <source>.`, place };
}

function refusal(
  { name, type }: Pool,
  operation: PoolOperation,
  { missing, place, remedy }: Refused,
): SvirtError {
  const path = `/pool/${place}`;
  return new SvirtError(
    `Cannot ${operation} the storage pool '${name}' of type ${type}: ${path}: svirt does not ${missing} yet`,
    { kind: "unsupported", remedy, place: path },
  );
}
