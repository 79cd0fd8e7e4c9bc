import type { PoolType } from "../../../storage/pool/pool-types.ts";
import type { PoolBackend, PoolBackends } from "./backend.ts";
import { dir } from "./dir.ts";
import { disk } from "./disk.ts";
import { fs } from "./fs.ts";
import { iscsi } from "./iscsi.ts";
import { logical } from "./logical.ts";
import { mpath } from "./mpath.ts";
import { netfs } from "./netfs.ts";
import { scsi } from "./scsi.ts";

const BACKENDS: PoolBackends = {
  dir,
  fs,
  netfs,
  logical,
  disk,
  iscsi,
  "iscsi-direct": "refused",
  scsi,
  mpath,
  rbd: "refused",
  sheepdog: "refused",
  gluster: "refused",
  zfs: "refused",
  vstorage: "refused",
};

/** Backend of a type that svirt does not start: supportedPool() refuses each operation with its reason. */
const REFUSED: PoolBackend = {
  isBuiltByStart: "never",
  build: () => [],
  start: { check: undefined },
  end: "holds nothing",
  refresh: [],
  remove: "not removed",
  findSources: "refused",
};

/** Returns the half of a type's backend that acts on the host. */
export function poolBackendOf(type: PoolType): PoolBackend {
  const backend = BACKENDS[type];
  return backend === "refused" ? REFUSED : backend;
}
