import type { Host } from "../host/host.ts";
import type { Mount } from "../host/mounts.ts";

/** Returns the visible mount at a path. It hides earlier mounts. */
export function findMountAt(host: Host, path: string): Mount | undefined {
  return host.listMounts().findLast((mount) => mount.path === path);
}
