import type { FileFacts } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import type { DeviceData } from "../../../host/new-file.ts";
import type { Instance } from "../../../state/instance.ts";
import type { LogicalVolume } from "../../../storage/pool/logical/reports.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import type { DevicePool } from "../volume-pool.ts";
import type { MadeVolume } from "./made-volume.ts";

/** Access to the volumes of a pool that killed calls have left without their data. */
interface VolumeParts {
  /** Lists their paths, without those of calls still at work. Waits for no program. */
  list(instance: Instance, pool: DevicePool): readonly string[];
  /** Removes them. */
  remove(instance: Instance, pool: DevicePool): Promise<void>;
}

/**
 * Half of a pool type's backend that makes volumes which are devices. Each property is mandatory: a type that
 * lacks something says so. The code is loaded when it is called: most volumes are files.
 */
export interface VolumeBackend {
  /** Makes a volume. It keeps what was in its space before. */
  create(instance: Instance, pool: DevicePool, volume: Volume): Promise<MadeVolume>;
  /** Makes a volume with data, and with zeros behind it. */
  fill(
    instance: Instance,
    pool: DevicePool,
    made: { readonly volume: Volume; readonly data: DeviceData },
  ): Promise<MadeVolume>;
  /** Whether a volume may have less space than its size. */
  readonly hasSparse: boolean;
  /** Removes a volume that no guest uses. The caller holds the registry's lock. */
  remove(
    instance: Instance,
    pool: DevicePool,
    volume: { readonly name: string; readonly facts: FileFacts; readonly start: number },
  ): Promise<void>;
  /** Volumes without their data, left in a pool by killed calls. */
  readonly parts: VolumeParts | "leaves none";
  /** Lists the volumes as the program that makes them describes them. */
  readonly describe: ((host: Host, pool: Pool) => Promise<readonly LogicalVolume[]>) | "by sysfs alone";
}
