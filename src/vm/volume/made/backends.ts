import type { HasDevices } from "../../../storage/pool/backends/table.ts";
import type { PoolType } from "../../../storage/pool/pool-types.ts";
import type { DevicePool, VolumePool } from "../volume-pool.ts";
import { disk } from "./disk.ts";
import { logical } from "./logical.ts";
import type { VolumeBackend } from "./volume-backend.ts";

/** A type that starts, and whose volumes are devices, says whether svirt makes them. */
type VolumeBackends = {
  readonly [Type in PoolType]: HasDevices<Type> extends false
    ? "no devices"
    : VolumeBackend | "made by the host";
};

const BACKENDS: VolumeBackends = {
  dir: "no devices",
  fs: "no devices",
  netfs: "no devices",
  logical,
  disk,
  iscsi: "made by the host",
  "iscsi-direct": "no devices",
  scsi: "made by the host",
  mpath: "made by the host",
  rbd: "no devices",
  sheepdog: "no devices",
  gluster: "no devices",
  zfs: "no devices",
  vstorage: "no devices",
};

/**
 * Returns the backend that makes the devices of a pool; undefined for files of a folder, and for devices that
 * the host makes.
 */
export function volumeBackendOf(pool: DevicePool | VolumePool): VolumeBackend | undefined {
  if (pool.folder !== undefined) return undefined;
  const backend = BACKENDS[pool.storage.type];
  return typeof backend === "string" ? undefined : backend;
}
