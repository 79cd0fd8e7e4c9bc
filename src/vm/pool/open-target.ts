import type { FileFacts } from "../../host/files.ts";
import type { Step } from "../../plan/steps/step.ts";
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
import { type Held, planTarget } from "./make-target.ts";
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
  /** Whether the steps are planned before others bring the source up, so that it is not looked at. */
  readonly isPlannedAhead?: true;
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
 * Checks that a pool can be active now, and returns the steps that make its folder on request. The caller
 * holds the registry's lock.
 */
export function planOpening(
  instance: Instance,
  pool: Pool,
  options: StartOptions & Pick<PoolStart, "isPlannedAhead"> & { readonly held: Held },
): readonly Step[] {
  if (hasFolder(pool)) return planTargetOpening(instance, pool, options);
  const startable = supportedPool(pool, "start");
  refuseConflictNow(instance, pool, { overwrites: false });
  if (options.isBuilt) supportedPool(pool, "build");
  if (options.isPlannedAhead !== true) listPoolDevices(instance.host, startable);
  return [];
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

/** Does the work of planOpening() for a pool with a folder. */
export function planTargetOpening(
  instance: Instance,
  pool: Pool,
  { formatting, held, isBuilt }: StartOptions & { readonly held: Held },
): readonly Step[] {
  supportedPool(pool, "start");
  if (formatting !== undefined && !hasFormattedDevice(pool)) throw withoutDevice(pool.name);
  refuseConflictNow(instance, pool, { overwrites: formatting !== undefined });
  if (isBuilt) return planTarget(instance, supportedPool(pool, "build"), held);
  openedTarget(instance, pool);
  return [];
}

/** Returns the folder of a pool that starts. Throws "not-found", "denied". */
export function openedTarget(instance: Instance, pool: Pool): FileFacts {
  const { name, target } = supportedPool(pool, "start");
  const isDefined = poolStore.read(instance, name)?.defined !== undefined;
  return existingTarget(instance.host, target.path, { name, isDefined });
}

/** Refuses a new file system in a pool without a device. virStorageBackendMakeFileSystem() of libvirt */
export function withoutDevice(name: string): Error {
  return invalid(
    `No source device specified when formatting pool '${name}'`,
    "Leave --overwrite and --no-overwrite out: only a pool of type fs has a device.",
  );
}
