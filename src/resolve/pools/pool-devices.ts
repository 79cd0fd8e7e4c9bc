import type { Host } from "../../host/host.ts";
import type { PoolSpace } from "../../storage/pool/document.ts";
import { iscsiTarget } from "../../storage/pool/iscsi/target.ts";
import type { Pool } from "../../storage/pool/keep-pool.ts";
import { volumeGroupOf } from "../../storage/pool/logical/group.ts";
import { listTargetDevices, refuseLostTarget } from "./iscsi-devices.ts";
import { listLogicalDevices } from "./logical-devices.ts";
import { listMultipathDevices } from "./mpath-devices.ts";
import { listPartitions, partitionedDisk } from "./partitions.ts";
import { deviceBytes, MOST_BYTES, type PoolDevice } from "./pool-device.ts";
import { listAdapterDevices } from "./scsi-devices.ts";

/**
 * Lists the devices of the host that are the volumes of a pool, in no order. Throws "not-found" for a missing source,
 * "unsupported" and "usage" for one that svirt does not search.
 */
export function listPoolDevices(host: Host, pool: Pool): readonly PoolDevice[] {
  const { source, target, type } = pool;
  if (target === undefined) return [];
  if (type === "logical") return listLogicalDevices(host, volumeGroupOf(pool));
  if (type === "mpath") return listMultipathDevices(host);
  if (type === "scsi" && source.adapter !== undefined)
    return listAdapterDevices(host, source.adapter, target.path);
  if (type === "iscsi") return listTargetDevices(host, iscsiTarget(pool), target.path);
  const [disk] = source.devices;
  if (type === "disk" && disk !== undefined)
    return listPartitions(host, { source: disk.path, target: target.path });
  return [];
}

/** Throws "timeout" for a pool of a target that does not answer. */
export function refuseLost(host: Host, pool: Pool): void {
  if (pool.type === "iscsi") refuseLostTarget(host, iscsiTarget(pool));
}

/**
 * Returns the space of a pool of devices: the sizes of its volumes, and of the disk with partitions. Throws as listPoolDevices() and
 * refuseLost().
 */
export async function devicesSpace(host: Host, pool: Pool): Promise<PoolSpace> {
  if (pool.type === "logical") return await spaceOfGroup(host, pool);
  refuseLost(host, pool);
  const sizes = listPoolDevices(host, pool).map(({ facts }) => deviceBytes(host, facts));
  const allocationBytes = sizes.reduce((sum, size) => Math.min(sum + size, MOST_BYTES), 0);
  const [disk] = pool.source.devices;
  const capacityBytes =
    pool.type === "disk" && disk !== undefined
      ? deviceBytes(host, partitionedDisk(host, disk.path))
      : allocationBytes;
  return { capacityBytes, allocationBytes, availableBytes: Math.max(0, capacityBytes - allocationBytes) };
}

/** Asks LVM. Its reports are loaded on demand: no start needs them. */
async function spaceOfGroup(host: Host, pool: Pool): Promise<PoolSpace> {
  const { readGroupSpace }: typeof import("./lvm-reports.ts") = require("./lvm-reports.ts");
  return await readGroupSpace(host, volumeGroupOf(pool));
}
