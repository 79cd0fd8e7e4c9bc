import type { Disk } from "./disk.ts";

/** Disk with a volume of a pool as its image. */
export type VolumeDisk = Extract<Disk, { readonly type: "volume" }>;

/** Names of a volume and its pool. */
interface BoundSource {
  readonly pool: string;
  readonly volume: string;
  readonly mode?: "host";
}

/** Disk of a running guest that is a volume of a pool, with the volume's file or block device. */
export type BoundDisk = Extract<Disk, { readonly type: "file" | "block" }> & { readonly source: BoundSource };

/**
 * Whether a disk has the file or device of a volume as its own. Definitions have the pool and the volume
 * alone.
 */
export function isBoundDisk(disk: Disk): disk is BoundDisk {
  const { source, type } = disk;
  return (type === "file" || type === "block") && source?.pool !== undefined && source.volume !== undefined;
}

/**
 * Returns a disk as its definition and libvirt's XML of a running guest have it: a volume instead of the
 * volume's file.
 */
export function unboundDisk(disk: Disk): Disk {
  if (!isBoundDisk(disk)) return disk;
  const { mode, pool, seclabels, startupPolicy, volume } = disk.source;
  return {
    ...disk,
    type: "volume",
    source: {
      pool,
      volume,
      seclabels,
      ...(mode === undefined ? {} : { mode }),
      ...(startupPolicy === undefined ? {} : { startupPolicy }),
    },
  } as VolumeDisk;
}

/** Whether a definition's disk is the volume of a running guest's disk. */
export function isSameVolume(disk: Disk, running: Disk): boolean {
  if (disk.type !== "volume" || !isBoundDisk(running)) return false;
  return disk.source.pool === running.source.pool && disk.source.volume === running.source.volume;
}
