import type { PoolType } from "../pool-types.ts";
import type { PoolBackend } from "./backend.ts";
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
export type Backends = typeof BACKENDS;

/** Returns the pure half of a type's backend. poolTypeInfo in src/conf/storage_conf.c of libvirt */
export function backendOf(type: PoolType): PoolBackend {
  return BACKENDS[type];
}
