import type { MountOrder } from "../mount/mount-order.ts";
import type { Formats, SourcedPool, SourcePart } from "../pool-types.ts";
import type { PoolSource } from "../source/source.ts";

/**
 * Pure half of a type of storage pools: its kept XML, and the rules of its definition and its start. Each
 * property is mandatory: a type says what it lacks.
 */
export interface PoolBackend {
  /** Kept parts of `<source>`. */
  readonly parts: readonly SourcePart[];
  /** Parts of `<source>` without which a definition is refused, in libvirt's order. */
  readonly needed: readonly SourcePart[];
  /** Folder of a source without `<dir>`. */
  readonly standardDir: { readonly path: string } | "none";
  readonly sourceFormats: Formats | "none";
  readonly volumeFormats: Formats | "none";
  /** Volumes are files of the target, block devices of the host, or on a server that svirt does not reach. */
  readonly volumes: "files" | "devices" | "on a server";
  /** Target that is written, none, or the folder of the source's name, whatever the XML says. */
  readonly target: "written" | "none" | { readonly within: string };
  /** Kept options: of a mount, or of Ceph. */
  readonly options: "mount" | "ceph" | "none";
  /** Whether the XML may have `<features><cow>`. */
  readonly hasCow: boolean;
  /** Lists contradictions in a source, by their places below /pool. */
  listContradictions(source: PoolSource): readonly Contradiction[];
  /** Mount of the source at the target by a start. */
  readonly mount: PoolMount | "none";
  /** Whether pools of this type are built and started, or the reason why not. */
  readonly start: Missing | "implemented";
  /** Returns the reason why a source cannot be started. */
  refuseSource(source: PoolSource): Refused | "none";
  /** Search for sources: by svirt, by an administrator's command, or none as in libvirt. */
  readonly discovery: "implemented" | { readonly command: string } | "none";
  /** Whether the source is block devices, which a pool of another type may have, too. */
  readonly takesDevices: boolean;
  /**
   * Whether two pools of this type have the same source beside devices.
   * virStoragePoolObjSourceFindDuplicate() of libvirt
   */
  isSameSource(one: SourcedPool, other: SourcedPool): boolean;
  /** Attempt that a restricted key is refused: at each use of the pool, or at its definition alone. */
  readonly denied: { readonly at: "use" | "definition"; attempt(name: string): string } | "nothing";
  /** Whether a disk with a volume may have `<source mode='host'>`. */
  readonly hasDiskMode: boolean;
}

/** Place of a contradiction, the reason of its refusal and the remedy. */
export type Contradiction = readonly [place: string, why: string, remedy: string];

/** Missing operation, and the remedy. */
export interface Missing {
  readonly missing: string;
  readonly remedy: string;
}

/** Refusal with its place below /pool. */
export interface Refused extends Missing {
  readonly place: string;
}

/** Mount of a pool's source. */
interface PoolMount {
  /** Whether the source is a block device, which a build may format. Otherwise it is a server's folder. */
  readonly isOfDevice: boolean;
  /** Whether a mount with this type of the kernel may have such a source. */
  isMountedAs(kernelType: string): boolean;
  /** Returns the order of the mount; by the device: its content decides. */
  readonly plan: ((pool: SourcedPool) => MountOrder) | "by the device";
}
