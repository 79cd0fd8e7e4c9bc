import type { Host } from "../host/host.ts";
import type { Mount } from "../host/mounts.ts";

/** Returns the mount that is visible at a path, which hides earlier ones. */
export function findMountAt(host: Host, path: string): Mount | undefined {
  return host.listMounts().findLast((mount) => mount.path === path);
}
