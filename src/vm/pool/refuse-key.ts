import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { backendOf } from "../../storage/pool/backends/table.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";

/**
 * Throws "denied" for the holder of a restricted key and a pool of a type whose use needs an administrator,
 * now or at the next boot.
 */
export function refuseKey(instance: Instance, pool: Pool): void {
  denyAt(instance, pool, "use");
}

/**
 * Throws "denied" for the holder of a restricted key and a definition that only an administrator may store.
 */
export function refuseKeyToDefine(instance: Instance, pool: Pool): void {
  denyAt(instance, pool, "definition");
}

function denyAt(instance: Instance, { name, type }: Pool, at: "use" | "definition"): void {
  const { denied } = backendOf(type);
  if (denied !== "nothing" && denied.at === at) denyKey(instance, denied.attempt(name));
}

/** Throws "denied" for the holder of a restricted key and an attempt that changes the host. */
export function denyKey({ isForKey }: Instance, attempt: string): void {
  if (isForKey !== true) return;
  throw new SvirtError(`Cannot ${attempt}: this is a restricted key`, {
    kind: "denied",
    remedy: "Define and start it as root on the node.",
  });
}
