import { SvirtError } from "../../../errors.ts";
import type { Refused } from "../backends/backend.ts";
import { backendOf } from "../backends/table.ts";
import type { PoolType } from "../pool-types.ts";
import type { Pool, PoolTarget } from "../stored-pool.ts";

const COPY_ON_WRITE = {
  place: "features/cow",
  missing: "set copy-on-write of a folder",
  remedy: "Run chattr(1) on the folder, and leave <features> out of <pool>.",
};

/** Pool with a target: a folder with its volumes, or a folder of the volumes' device nodes. */
export type TargetPool = Pool & { readonly target: PoolTarget };

/** Whether the volumes of a pool are files in its target. Otherwise they are block devices of the host. */
export function hasFolder({ type }: Pool): boolean {
  return backendOf(type).volumes === "files";
}

/** Whether a start mounts a device of the pool, which a build may format. */
export function hasFormattedDevice({ type }: Pool): boolean {
  const { mount } = backendOf(type);
  return mount !== "none" && mount.isOfDevice;
}

/** Whether pools of this type are built and started. */
export function isStartable(type: PoolType): boolean {
  return backendOf(type).start === "implemented";
}

/** Treatment of content that a pool's device already has when it gets a file system. */
export type Formatting = "overwrite" | "no-overwrite";

/** Operation on a pool's storage. */
export type PoolOperation = "start" | "build" | "delete" | "refresh";

/**
 * Returns the pool if svirt can do that to it. Throws "unsupported" for any other, and says what to do
 * instead.
 */
export function supportedPool(pool: Pool, operation: PoolOperation): TargetPool {
  const { features, source, target, type } = pool;
  const { refuseSource, start } = backendOf(type);
  if (start !== "implemented") throw refusal(pool, operation, { ...start, place: "@type" });
  const refused = refuseSource(source);
  if (refused !== "none") throw refusal(pool, operation, refused);
  if (features !== undefined && operation === "build") throw refusal(pool, operation, COPY_ON_WRITE);
  // The form requires it of each startable type.
  if (target === undefined) throw new Error(`a pool of type ${type} has no target`);
  return { ...pool, target };
}

function refusal(
  { name, type }: Pool,
  operation: PoolOperation,
  { missing, place, remedy }: Refused,
): SvirtError {
  const path = `/pool/${place}`;
  return new SvirtError(
    `Cannot ${operation} the storage pool '${name}' of type ${type}: ${path}: svirt does not ${missing} yet`,
    { kind: "unsupported", remedy, place: path },
  );
}
