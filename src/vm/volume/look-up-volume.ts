import { asSvirtError, SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { sanitizePath } from "../../storage/pool/sanitize-path.ts";
import { type FoundVolume, findVolume, volumeIn } from "./find-volume.ts";
import { findAnyPool } from "./volume-pool.ts";

const NO_VOLUME = "VIR_ERR_NO_STORAGE_VOL";

/**
 * Returns the volume of a pool with that name. Throws "not-found" with libvirt's message, and as
 * findAnyPool() does.
 */
export async function lookUpVolume(instance: Instance, pool: string, name: string): Promise<FoundVolume> {
  const found = volumeIn(instance, await findAnyPool(instance, pool), name);
  if (found === undefined) throw noVolume(`name '${name}'`);
  return found;
}

/** Returns the volume of any active pool with that key or path. Throws "not-found" with libvirt's message. */
export async function lookUpVolumeBy(
  instance: Instance,
  by: "key" | "path",
  value: string,
): Promise<FoundVolume> {
  try {
    return await findVolume(instance, value);
  } catch (thrown) {
    const error = asSvirtError(thrown);
    throw error.libvirt.name === NO_VOLUME ? noVolume(wantedBy(by, value), thrown) : error;
  }
}

function wantedBy(by: "key" | "path", value: string): string {
  if (by === "key") return `key ${value}`;
  const clean = sanitizePath(value);
  return `path '${value}'${clean === value ? "" : ` (${clean})`}`;
}

/** storageVolLookupByName(), storageVolLookupByKey() and storageVolLookupByPath() of libvirt */
function noVolume(wanted: string, cause?: unknown): SvirtError {
  return new SvirtError(`Storage volume not found: no storage vol with matching ${wanted}`, {
    kind: "not-found",
    libvirt: "NO_STORAGE_VOL",
    remedy: "svirt vol-list POOL lists the volumes of an active pool.",
    cause,
  });
}
