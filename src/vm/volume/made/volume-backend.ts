import type { FileFacts } from "../../../host/files.ts";
import type { Host } from "../../../host/host.ts";
import type { DeviceData } from "../../../host/new-file.ts";
import type { Step } from "../../../plan/steps/step.ts";
import type { Instance } from "../../../state/instance.ts";
import type { LogicalVolume } from "../../../storage/pool/logical/reports.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import type { Volume } from "../../../storage/volume/document.ts";
import type { DevicePool } from "../volume-pool.ts";
import type { MadeVolume } from "./made-volume.ts";

/** New volume that is planned; with a source it gets the data of that volume. */
export interface PlannedDevice {
  readonly volume: Volume;
  /** Path of the source. */
  readonly source?: string;
}

/** New volume, and its data. */
export interface NewDevice extends PlannedDevice {
  readonly data?: DeviceData;
}

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
  /** Makes a volume. Its space keeps what was there before, unless it gets data, with zeros behind it. */
  create(instance: Instance, pool: DevicePool, made: NewDevice): Promise<MadeVolume>;
  /** Returns the steps of create(), and changes nothing. */
  planCreation(instance: Instance, pool: DevicePool, made: PlannedDevice): Promise<readonly Step[]>;
  /** Whether a volume may have less space than its size. */
  readonly hasSparse: boolean;
  /**
   * Returns the steps that remove a volume that no guest uses, and changes nothing. The caller holds the
   * registry's lock.
   */
  planRemoval(
    instance: Instance,
    pool: DevicePool,
    volume: { readonly name: string; readonly facts: FileFacts; readonly start: number },
  ): Promise<readonly Step[]>;
  /** Volumes without their data, left in a pool by killed calls. */
  readonly parts: VolumeParts | "leaves none";
  /** Lists the volumes as the program that makes them describes them. */
  readonly describe: ((host: Host, pool: Pool) => Promise<readonly LogicalVolume[]>) | "by sysfs alone";
}
