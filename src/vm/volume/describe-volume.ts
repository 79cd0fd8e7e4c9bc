import type { Instance } from "../../state/instance.ts";
import { formatVolumeArguments, type VolumeArguments } from "../../storage/volume/volume-of-arguments.ts";
import { findVolume, volumeIn } from "./find-volume.ts";
import { findAnyPool } from "./volume-pool.ts";

/** Arguments of a volume whose backing volume is named by its name, key or path. */
export interface NewVolumeArguments extends Omit<VolumeArguments, "backing"> {
  readonly backingVolume: string | undefined;
  readonly backingFormat: string | undefined;
}

/** Returns the XML of a volume to create. Throws "not-found" for an unknown pool or backing volume. */
export async function describeNewVolume(
  instance: Instance,
  pool: string,
  { backingFormat, backingVolume, ...words }: NewVolumeArguments,
): Promise<string> {
  if (backingVolume === undefined) return formatVolumeArguments(words);
  const inPool = pool.startsWith("/")
    ? undefined
    : volumeIn(instance, await findAnyPool(instance, pool), backingVolume);
  const { path } = inPool ?? (await findVolume(instance, backingVolume));
  return formatVolumeArguments({ ...words, backing: { path, format: backingFormat } });
}
