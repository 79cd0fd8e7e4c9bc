import { isUnmounted } from "../../resolve/pool-mount.ts";
import { listPoolDevices } from "../../resolve/pools/pool-devices.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import type { StoredXml } from "../../state/xml-store.ts";
import { parsePoolText } from "../../storage/pool/document.ts";
import {
  type Formatting,
  hasFolder,
  hasFormattedDevice,
  supportedPool,
  type TargetPool,
} from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { findPool, inactivePool, invalid } from "./find-pool.ts";
import { existingTarget } from "./find-target.ts";
import { type Held, makeTarget } from "./make-target.ts";
import { refuseConflictNow } from "./new-pool.ts";

/** Whether a start makes the pool's folder first, and whether its device gets a file system. */
export interface StartOptions {
  readonly isBuilt: boolean;
  readonly formatting?: Formatting | undefined;
}

/** Pool of a start, and its kept XML. */
export interface Startable {
  readonly pool: Pool;
  readonly xml: string;
  readonly name: string;
  readonly uuid: string;
}

/** Start of the pool that `choose` returns under the lock; `seen` is how it looked before. */
export interface PoolStart {
  /** Command, such as `pool-start`. */
  readonly command: string;
  readonly seen: Pool;
  readonly options: StartOptions;
  choose(): Startable;
  /** Ends a pool whose start has failed after it was recorded. */
  end(name: string): Promise<unknown>;
}

/**
 * Returns a pool ready for a start: inactive, or with a start interrupted before its mount. Throws as
 * inactivePool().
 */
export function startablePool(instance: Instance, key: string): StoredXml & { readonly defined: string } {
  const { active, defined, ...stored } = findPool(instance, key);
  if (defined === undefined || !isInterrupted(instance, active))
    return inactivePool(instance, key, "already");
  return { ...stored, active, defined };
}

/** Whether the start or the end of an active pool was interrupted, so that it is not mounted. */
export function isInterrupted({ host }: Instance, active: string | undefined): boolean {
  return active !== undefined && isUnmounted(host, parsePoolText(active));
}

/**
 * Checks that a pool can be active now, and makes its folder on request. The caller holds the registry's
 * lock.
 */
export function openPool(
  instance: Instance,
  pool: Pool,
  options: StartOptions & { readonly held: Held },
): void {
  if (hasFolder(pool)) {
    openTarget(instance, pool, options);
    return;
  }
  const startable = supportedPool(pool, "start");
  refuseConflictNow(instance, pool, { overwrites: false });
  if (options.isBuilt) supportedPool(pool, "build");
  listPoolDevices(instance.host, startable);
}

/**
 * Checks the folder of a pool, or searches its source for devices. Throws "not-found", "denied",
 * "unsupported".
 */
export function checkSource(
  { host }: Instance,
  pool: TargetPool,
  { isDefined }: { readonly isDefined: boolean },
): void {
  if (hasFolder(pool)) existingTarget(host, pool.target.path, { name: pool.name, isDefined });
  else listPoolDevices(host, pool);
}

/** Checks that a pool with a folder can be active now, as openPool(). Returns the folder. */
export function openTarget(
  instance: Instance,
  pool: Pool,
  { formatting, held, isBuilt }: StartOptions & { readonly held: Held },
): ReturnType<typeof existingTarget> {
  const startable = supportedPool(pool, "start");
  if (formatting !== undefined && !hasFormattedDevice(pool)) throw withoutDevice(pool.name);
  refuseConflictNow(instance, pool, { overwrites: formatting !== undefined });
  if (isBuilt) makeTarget(instance, supportedPool(pool, "build"), held);
  const isDefined = poolStore.read(instance, pool.name)?.defined !== undefined;
  return existingTarget(instance.host, startable.target.path, { name: pool.name, isDefined });
}

/** Refuses a new file system in a pool without a device. virStorageBackendMakeFileSystem() of libvirt */
export function withoutDevice(name: string): Error {
  return invalid(
    `No source device specified when formatting pool '${name}'`,
    "Leave --overwrite and --no-overwrite out: only a pool of type fs has a device.",
  );
}
