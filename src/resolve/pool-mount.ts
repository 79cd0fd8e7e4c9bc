import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Mount } from "../host/mounts.ts";
import { findMountAt } from "../run/mount-at.ts";
import type { Pool } from "../storage/pool/keep-pool.ts";
import { POOL_TYPE_FACTS } from "../storage/pool/pool-types.ts";

/** Types of the kernel's mounts of an NFS server. */
const SERVERS: ReadonlySet<string> = new Set(["nfs", "nfs4"]);

/** Whether a pool's volumes are in a file system that its start mounts. */
export function hasMount({ type }: Pool): boolean {
  return POOL_TYPE_FACTS[type].isMounted === true;
}

/** Returns the mount of a pool's source at its target. virStorageBackendFileSystemIsMounted() of libvirt */
export function findPoolMount(host: Host, pool: Pool): Mount | undefined {
  const mount = findMountAt(host, pool.target?.path ?? "");
  return mount !== undefined && isOfSource(host, pool, mount) ? mount : undefined;
}

/** Whether the file system of an active pool is not mounted: its start was interrupted, or it was unmounted by hand. */
export function isUnmounted(host: Host, pool: Pool): boolean {
  return hasMount(pool) && findPoolMount(host, pool) === undefined;
}

/** Throws "wrong-state" for an active pool whose file system is not mounted, since its folder would have other volumes. */
export function refuseUnmounted(host: Host, pool: Pool): void {
  if (!isUnmounted(host, pool)) return;
  throw new SvirtError(
    `Requested operation is not valid: storage pool '${pool.name}' is not mounted at ${pool.target?.path}`,
    { kind: "wrong-state", remedy: `Mount it: svirt pool-start ${pool.name}` },
  );
}

/** Whether a mount is one of an NFS server. */
export function isServerMount({ type }: Mount): boolean {
  return SERVERS.has(type);
}

function isOfSource(host: Host, pool: Pool, mount: Mount): boolean {
  const { device, source, type } = mount;
  // An ordinary user chooses the source of a FUSE mount. fusermount(1) fsname
  if (pool.type === "netfs" ? !isServerMount(mount) : type.startsWith("fuse")) return false;
  const {
    mountSource,
  }: typeof import("../storage/pool/mount/plan-mount.ts") = require("../storage/pool/mount/plan-mount.ts");
  const named = mountSource(pool);
  if (withoutSlashes(source) === withoutSlashes(named)) return true;
  if (pool.type !== "fs") return false;
  const found = host.inspectFile(named)?.id;
  // The mount of a device that is gone has no other name.
  return found === undefined ? source.startsWith("/dev/") : found.path === source || found.node === device;
}

function withoutSlashes(source: string): string {
  return source.replace(/\/+$/, "");
}
