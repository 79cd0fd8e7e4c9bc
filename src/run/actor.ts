import type { Host } from "../host/host.ts";
import type { OpenedMount } from "../host/mounts.ts";
import type { DeviceData, NewFile } from "../host/new-file.ts";
import type { ProcessId } from "../host/processes.ts";
import type { ClaimRegistry } from "../registry/claims.ts";

/** Callback for the progress of a long operation. */
export type Progress = (done: number, total: number) => void;

/** Content of a new volume, given or copied. */
export type VolumeContent = Pick<NewFile, "content" | "copy" | "conversion">;

/** Guest of the steps, with the host and the registry. */
export interface Actor {
  readonly host: Host;
  readonly registry: ClaimRegistry;
  /** UUID of the guest. */
  readonly owner: string;
  readonly uid: number;
  /** Context of the guest; absent: it is not confined. */
  readonly context?: string;
  /**
   * Headers of LUKS for images to make, by their paths. They are made before, since each takes half a second.
   */
  readonly headers?: ReadonlyMap<string, Uint8Array>;
  /** Contents of new volumes, by their paths. */
  readonly contents?: ReadonlyMap<string, VolumeContent>;
  /** Data of new volumes that are devices, by the paths of the step `fill-device`. */
  readonly data?: ReadonlyMap<string, DeviceData>;
  /** Value for the step `set-secret`, which does not have it. */
  readonly secret?: Uint8Array;
  /**
   * Opened file systems, by the paths of their mounts. They are opened before, without a lock, since a server
   * may take long.
   */
  readonly mounts?: ReadonlyMap<string, OpenedMount>;
  /** Passwords of iSCSI targets, by the names of the targets. No record has them. */
  readonly passwords?: ReadonlyMap<string, string>;
  /** Called if the iSCSI target of a login has a session already, of another program. */
  readonly onSession?: () => void;
  /** QEMU, if it runs in the current boot. */
  readonly process?: ProcessId;
  /** Boot of the guest's start; absent: the current boot. */
  readonly bootId?: string;
  /**
   * Time of the host's clock until which to wait for killed processes; absent: as long as a kill may take.
   */
  readonly endingUntilMs?: number;
  /** Time for a guest to release a device; absent: as in libvirt. */
  readonly releaseMs?: number;
  /** Called for each file left with the guest's label, with the reason. */
  readonly onKept?: (notice: string) => void;
  /** Called with the progress of a potentially long step. */
  readonly onProgress?: Progress;
  /** Called with the terminals of a new QEMU, keyed by the names of their devices. */
  readonly onTerminals?: (found: ReadonlyMap<string, string>) => void;
}
