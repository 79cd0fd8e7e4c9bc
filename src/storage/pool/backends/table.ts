import type { PoolType } from "../pool-types.ts";
import type { Missing, PoolBackend } from "./backend.ts";
import { dir } from "./dir.ts";
import { disk } from "./disk.ts";
import { fs } from "./fs.ts";
import { gluster } from "./gluster.ts";
import { iscsi } from "./iscsi.ts";
import { iscsiDirect } from "./iscsi-direct.ts";
import { logical } from "./logical.ts";
import { mpath } from "./mpath.ts";
import { netfs } from "./netfs.ts";
import { rbd } from "./rbd.ts";
import { scsi } from "./scsi.ts";
import { sheepdog } from "./sheepdog.ts";
import { vstorage } from "./vstorage.ts";
import { zfs } from "./zfs.ts";

const BACKENDS = {
  dir,
  fs,
  netfs,
  logical,
  disk,
  iscsi,
  "iscsi-direct": iscsiDirect,
  scsi,
  mpath,
  rbd,
  sheepdog,
  gluster,
  zfs,
  vstorage,
} satisfies Readonly<Record<PoolType, PoolBackend>>;

/** Answers of each type's backend. The other halves of a backend depend on them. */
type Backends = typeof BACKENDS;

/**
 * Whether svirt starts pools of a type. The code for it is mandatory unless the type says that svirt lacks
 * it; so it is with the two below.
 */
export type IsStarted<Type extends PoolType> = Backends[Type]["start"] extends Missing ? false : true;

/** Whether svirt starts pools of a type, and their volumes are block devices. */
export type HasDevices<Type extends PoolType> = Backends[Type]["volumes"] extends "files" | "on a server"
  ? false
  : IsStarted<Type>;

/** Whether svirt finds sources of a type. */
export type IsSearched<Type extends PoolType> = "implemented" extends Backends[Type]["discovery"]
  ? true
  : false;

/** Returns the pure half of a type's backend. poolTypeInfo in src/conf/storage_conf.c of libvirt */
export function backendOf(type: PoolType): PoolBackend {
  return BACKENDS[type];
}
