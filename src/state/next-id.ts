import type { Node } from "./instance.ts";

/** Returns the next id for a running guest, counted from 1 at each boot. The caller holds the registry lock. */
export function takeNextId(node: Node): number {
  const path = `${node.paths.run}/next-id`;
  const next = Number(node.host.readText(path) ?? "1");
  node.host.writeText(path, `${next + 1}\n`, 0o600);
  return next;
}
