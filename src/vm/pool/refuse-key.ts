import { SvirtError } from "../../errors.ts";
import { hasMount } from "../../resolve/pool-mount.ts";
import type { Instance } from "../../state/instance.ts";
import type { Pool } from "../../storage/pool/keep-pool.ts";

/**
 * Throws "denied" for the holder of a restricted key and a pool that a start mounts, now or at the next boot: a mount takes any
 * device of the host and any server. Likewise for a volume group.
 */
export function refuseKey(instance: Instance, pool: Pool): void {
  if (hasMount(pool)) denyKey(instance, `mount the storage pool '${pool.name}'`);
  if (pool.type === "logical") denyKey(instance, `use a volume group for the storage pool '${pool.name}'`);
}

/** Throws "denied" for the holder of a restricted key and an attempt that changes the host. */
export function denyKey({ isForKey }: Instance, attempt: string): void {
  if (isForKey !== true) return;
  throw new SvirtError(`Cannot ${attempt}: this is a restricted key`, {
    kind: "denied",
    remedy: "Define and start it as root on the node.",
  });
}
