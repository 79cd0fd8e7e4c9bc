import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Mount } from "../host/mounts.ts";
import { findMountAt } from "../run/mount-at.ts";
import { backendOf } from "../storage/pool/backends/table.ts";
import { isServerType } from "../storage/pool/mount/mount-order.ts";
import type { Pool } from "../storage/pool/stored-pool.ts";

/** Whether a pool's volumes are in a file system mounted by its start. */
export function hasMount({ type }: Pool): boolean {
  return backendOf(type).mount !== "none";
}

/** Returns the mount of a pool's source at its target. virStorageBackendFileSystemIsMounted() of libvirt */
export function findPoolMount(host: Host, pool: Pool): Mount | undefined {
  const mount = findMountAt(host, pool.target?.path ?? "");
  return mount !== undefined && isOfSource(host, pool, mount) ? mount : undefined;
}

/**
 * Whether the file system of an active pool is not mounted: its start was interrupted, or it was unmounted by
 * hand.
 */
export function isUnmounted(host: Host, pool: Pool): boolean {
  return hasMount(pool) && findPoolMount(host, pool) === undefined;
}

/**
 * Throws "wrong-state" for an active pool whose file system is not mounted, since its folder would have other
 * volumes.
 */
export function refuseUnmounted(host: Host, pool: Pool): void {
  if (!isUnmounted(host, pool)) return;
  throw new SvirtError(
    `Requested operation is not valid: storage pool '${pool.name}' is not mounted at ${pool.target?.path}`,
    { kind: "wrong-state", remedy: `Mount it: svirt pool-start ${pool.name}` },
  );
}

/** Whether a mount belongs to an NFS server. */
export function isServerMount({ type }: Mount): boolean {
  return isServerType(type);
}

function isOfSource(host: Host, pool: Pool, mount: Mount): boolean {
  const { device, source, type } = mount;
  const { mount: rules } = backendOf(pool.type);
  if (rules === "none" || !rules.isMountedAs(type)) return false;
  const {
    mountSource,
  }: typeof import("../storage/pool/mount/plan-mount.ts") = require("../storage/pool/mount/plan-mount.ts");
  const named = mountSource(pool);
  if (withoutSlashes(source) === withoutSlashes(named)) return true;
  if (!rules.isOfDevice) return false;
  const found = host.inspectFile(named)?.id;
  // The mount of a removed device has no other name.
  return found === undefined ? source.startsWith("/dev/") : found.path === source || found.node === device;
}

function withoutSlashes(source: string): string {
  return source.replace(/\/+$/, "");
}
