import type { Instance } from "./instance.ts";

// Rule: The id of a running guest counts from 1 at each boot.

/**
 * Returns the next id for a running guest, counted from 1 at each boot. The caller holds the registry lock.
 */
export function takeNextId(instance: Instance): number {
  const path = `${instance.paths.run}/next-id`;
  const next = Number(instance.host.readText(path) ?? "1");
  instance.host.writeText(path, `${next + 1}\n`, 0o600);
  return next;
}
