import type { Host } from "../../host/host.ts";
import type { Pool } from "../../storage/pool/keep-pool.ts";
import { listMultipathDevices } from "./mpath-devices.ts";
import type { PoolDevice } from "./pool-device.ts";
import { listAdapterDevices } from "./scsi-devices.ts";

/**
 * Lists the devices of the host that are the volumes of a pool, in no order. Throws "not-found" for a missing source,
 * "unsupported" and "usage" for one that svirt does not search.
 */
export function listPoolDevices(host: Host, pool: Pool): readonly PoolDevice[] {
  const { source, target, type } = pool;
  if (target === undefined) return [];
  if (type === "mpath") return listMultipathDevices(host);
  if (type === "scsi" && source.adapter !== undefined)
    return listAdapterDevices(host, source.adapter, target.path);
  return [];
}
