const LVM = "/usr/sbin/lvm";

/**
 * Commands that change volume groups, with libvirt's options. virStorageBackendLogical… in
 * storage_backend_logical.c of libvirt
 */
export const lvm = {
  /** Makes a physical volume, whatever the device has. */
  createPhysical: (device: string) => [LVM, "pvcreate", "--yes", device],
  /** Keeps a physical volume of a group. */
  removePhysical: (device: string) => [LVM, "pvremove", device],
  createGroup: (group: string, devices: readonly string[]) => [LVM, "vgcreate", group, ...devices],
  /** Asks before it removes a group with volumes, and without input it keeps them. libvirt has -f. */
  removeGroup: (group: string) => [LVM, "vgremove", group],
  activate: (group: string) => [LVM, "vgchange", "-aly", group],
  deactivate: (group: string) => [LVM, "vgchange", "-aln", group],
  /** Keeps the volume, its data and its device. */
  renameVolume: (group: string, name: string, to: string) => [LVM, "lvrename", group, name, to],
  /** Keeps an open volume. */
  removeVolume: (group: string, name: string) => [LVM, "lvremove", "-f", `${group}/${name}`],
} as const satisfies Readonly<Record<string, (...words: never[]) => readonly string[]>>;

/** New logical volume. */
export interface NewLogicalVolume {
  readonly name: string;
  readonly group: string;
  readonly capacityBytes: number;
  /** Space of a sparse volume; undefined: all of it. */
  readonly sparseBytes: number | undefined;
  /** Name of the volume of the group that it is a snapshot of. */
  readonly origin: string | undefined;
}

/** Returns the command for making a volume. virStorageBackendLogicalLVCreate() of libvirt */
export function createVolumeCommand(volume: NewLogicalVolume): readonly string[] {
  const { capacityBytes, group, name, origin, sparseBytes } = volume;
  const sizes =
    sparseBytes === undefined
      ? ["-L", inKiB(capacityBytes)]
      : ["-L", inKiB(sparseBytes || 1), "--type", "snapshot", "--virtualsize", inKiB(capacityBytes)];
  const place = origin === undefined ? [group] : ["-s", `${group}/${origin}`];
  return [LVM, "lvcreate", "--name", name, ...sizes, ...place, "--yes"];
}

function inKiB(bytes: number): string {
  return `${Math.ceil(bytes / 1024)}K`;
}
