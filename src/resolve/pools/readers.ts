import type { Host } from "../../host/host.ts";
import type { HasDevices } from "../../storage/pool/backends/table.ts";
import type { PoolSpace } from "../../storage/pool/document.ts";
import { iscsiTarget } from "../../storage/pool/iscsi/target.ts";
import { volumeGroupOf } from "../../storage/pool/logical/group.ts";
import type { PoolType } from "../../storage/pool/pool-types.ts";
import type { TargetPool } from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { listTargetDevices, refuseLostTarget } from "./iscsi-devices.ts";
import { listLogicalDevices } from "./logical-devices.ts";
import { listMultipathDevices } from "./mpath-devices.ts";
import { listPartitions, partitionedDisk } from "./partitions.ts";
import { deviceBytes, type PoolDevice } from "./pool-device.ts";
import { listAdapterDevices } from "./scsi-devices.ts";

/** Half of a type's backend that reads the devices of its pools from the host. */
export interface PoolReader {
  /** Lists the devices in the role of volumes, in no order. */
  listDevices(host: Host, pool: TargetPool): readonly PoolDevice[];
  /** Throws "timeout" for a pool of a server that does not answer. */
  readonly refuseLost: ((host: Host, pool: Pool) => void) | "always answers";
  /** Space of a pool: of its devices, of another device, or as reported by a program. */
  readonly space:
    | "devices"
    | { capacityBytes(host: Host, pool: Pool): number }
    | { read(host: Host, pool: Pool): Promise<PoolSpace> };
}

/** A startable type with devices as volumes has a reader. */
type Readers = {
  readonly [Type in PoolType]: HasDevices<Type> extends false ? "no devices" : PoolReader;
};

const READERS: Readers = {
  dir: "no devices",
  fs: "no devices",
  netfs: "no devices",
  logical: {
    listDevices: (host, pool) => listLogicalDevices(host, volumeGroupOf(pool)),
    refuseLost: "always answers",
    space: { read: spaceOfGroup },
  },
  disk: {
    listDevices: (host, pool) => listPartitions(host, { source: diskOf(pool), target: pool.target.path }),
    refuseLost: "always answers",
    space: { capacityBytes: (host, pool) => deviceBytes(host, partitionedDisk(host, diskOf(pool))) },
  },
  iscsi: {
    listDevices: (host, pool) => listTargetDevices(host, iscsiTarget(pool), pool.target.path),
    refuseLost: (host, pool) => refuseLostTarget(host, iscsiTarget(pool)),
    space: "devices",
  },
  "iscsi-direct": "no devices",
  scsi: { listDevices: listUnits, refuseLost: "always answers", space: "devices" },
  mpath: { listDevices: listMultipathDevices, refuseLost: "always answers", space: "devices" },
  rbd: "no devices",
  sheepdog: "no devices",
  gluster: "no devices",
  zfs: "no devices",
  vstorage: "no devices",
};

/** Returns the reader of a type. */
export function readerOf({ type }: Pool): PoolReader | "no devices" {
  return READERS[type];
}

function diskOf({ source }: Pool): string {
  return source.devices[0]?.path ?? "";
}

function listUnits(host: Host, { source: { adapter }, target }: TargetPool): readonly PoolDevice[] {
  return adapter === undefined ? [] : listAdapterDevices(host, adapter, target.path);
}

/** Asks LVM. Its reports are loaded on demand: no start needs them. */
async function spaceOfGroup(host: Host, pool: Pool): Promise<PoolSpace> {
  const { readGroupSpace }: typeof import("./lvm-reports.ts") = require("./lvm-reports.ts");
  return await readGroupSpace(host, volumeGroupOf(pool));
}
