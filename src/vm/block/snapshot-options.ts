import type { Encryption } from "../../domain/devices/disk/secrets.ts";

/** Options for a disk of a snapshot. */
export interface SnapshotDisk {
  /** The disk's target or source. */
  readonly name: string;
  readonly snapshot: string | undefined;
  readonly driver: string | undefined;
  readonly file: string | undefined;
  /** Encryption of the overlay; undefined: it has none, which is refused above an encrypted image. */
  readonly encryption?: Encryption | undefined;
}

/** Options of a snapshot. */
export interface SnapshotOptions {
  readonly name: string;
  readonly disks: readonly SnapshotDisk[];
  /** The overlays already exist. */
  readonly reuses: boolean;
  /** The snapshot is stored, so that it can be listed; absent: only its images are made. */
  readonly kept?: { readonly description: string | undefined };
  /** File for the guest's memory; absent: the snapshot is of disks only. */
  readonly memory?: string | undefined;
}
