import type { Host } from "../../host/host.ts";
import type { PoolSpace } from "../../storage/pool/document.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { deviceBytes, MOST_BYTES, type PoolDevice } from "./pool-device.ts";
import { readerOf } from "./readers.ts";

/**
 * Lists the devices of the host as the volumes of a pool, in no order. Throws "not-found" for a missing
 * source, "unsupported" and "usage" for a source svirt does not search.
 */
export function listPoolDevices(host: Host, pool: Pool): readonly PoolDevice[] {
  const reader = readerOf(pool);
  const { target } = pool;
  return reader === "no devices" || target === undefined ? [] : reader.listDevices(host, { ...pool, target });
}

/** Throws "timeout" for a pool of a silent target. */
export function refuseLost(host: Host, pool: Pool): void {
  const reader = readerOf(pool);
  if (reader !== "no devices" && reader.refuseLost !== "always answers") reader.refuseLost(host, pool);
}

/**
 * Returns the space of a pool of devices: the sizes of its volumes, and of the disk with partitions. Throws
 * as listPoolDevices() and refuseLost().
 */
export async function devicesSpace(host: Host, pool: Pool): Promise<PoolSpace> {
  const reader = readerOf(pool);
  const space = reader === "no devices" ? "devices" : reader.space;
  if (space !== "devices" && "read" in space) return await space.read(host, pool);
  refuseLost(host, pool);
  const sizes = listPoolDevices(host, pool).map(({ facts }) => deviceBytes(host, facts));
  const allocationBytes = sizes.reduce((sum, size) => Math.min(sum + size, MOST_BYTES), 0);
  const capacityBytes = space === "devices" ? allocationBytes : space.capacityBytes(host, pool);
  return { capacityBytes, allocationBytes, availableBytes: Math.max(0, capacityBytes - allocationBytes) };
}
