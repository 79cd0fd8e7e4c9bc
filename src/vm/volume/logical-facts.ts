import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import type { LogicalVolume } from "../../storage/pool/logical/reports.ts";
import type { FoundVolume } from "./find-volume.ts";
import { volumeBackendOf } from "./made/backends.ts";

/**
 * Throws "unsupported" for a sparse volume, with libvirt's message. virStorageBackendLogicalVolWipe() of
 * libvirt
 */
export async function refuseSparse(instance: Instance, { name, path, pool }: FoundVolume): Promise<void> {
  if (!(await listLogical(instance, pool)).some((one) => one.name === name && one.isSparse)) return;
  throw new SvirtError(
    `this function is not supported by the connection driver: logical volume '${path}' is sparse, volume wipe not supported`,
    {
      kind: "unsupported",
      libvirt: "NO_SUPPORT",
      remedy: "Delete the volume instead: its space is too small for the zeros.",
    },
  );
}

/**
 * Returns a volume of a pool of type logical as LVM describes it; undefined for one of another type. Throws
 * "failed".
 */
export async function describeLogical(
  instance: Instance,
  { name, pool }: FoundVolume,
): Promise<LogicalVolume | undefined> {
  return (await listLogical(instance, pool)).find((one) => one.name === name);
}

/** Whether a program describes the volumes of a pool, beside sysfs. */
export function isDescribed(pool: FoundVolume["pool"]): boolean {
  return describeOf(pool) !== undefined;
}

function describeOf(pool: FoundVolume["pool"]) {
  const describe = volumeBackendOf(pool)?.describe;
  return describe === "by sysfs alone" ? undefined : describe;
}

/**
 * Lists the volumes of a pool of type logical as LVM describes them; none of another type. Throws "failed".
 */
export async function listLogical(
  { host }: Instance,
  pool: FoundVolume["pool"],
): Promise<readonly LogicalVolume[]> {
  const describe = describeOf(pool);
  return describe === undefined || pool.folder !== undefined ? [] : await describe(host, pool.storage);
}
