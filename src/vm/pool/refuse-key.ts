import { SvirtError } from "../../errors.ts";
import { hasMount } from "../../resolve/pool-mount.ts";
import type { Instance } from "../../state/instance.ts";
import type { Pool } from "../../storage/pool/keep-pool.ts";

/**
 * Throws "denied" for the holder of a restricted key and a pool that a start mounts, now or at the next boot: a mount takes any
 * device of the host and any server.
 */
export function refuseKey({ isForKey }: Instance, pool: Pool): void {
  if (isForKey !== true || !hasMount(pool)) return;
  throw new SvirtError(`Cannot mount the storage pool '${pool.name}': this is a restricted key`, {
    kind: "denied",
    remedy: "Define and start it as root on the node.",
  });
}
