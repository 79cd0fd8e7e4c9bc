/** Types of storage pools, in libvirt's order. virStoragePool in src/conf/storage_conf.c of libvirt */
export const POOL_TYPES = [
  ...(["dir", "fs", "netfs", "logical", "disk", "iscsi", "iscsi-direct", "scsi", "mpath"] as const),
  ...(["rbd", "sheepdog", "gluster", "zfs", "vstorage"] as const),
] as const;

/** Type of a storage pool. */
export type PoolType = (typeof POOL_TYPES)[number];

/** Parts of a pool's `<source>` that only some types have. */
export const SOURCE_PARTS = ["hosts", "devices", "dir", "adapter", "name", "initiator"] as const;

/** Part of a pool's `<source>` that only some types have. */
export type SourcePart = (typeof SOURCE_PARTS)[number];

/** Values of a format, and the one that an omitted format stands for. */
export interface Formats {
  readonly standard: string;
  readonly values: readonly string[];
}

/** Properties of a type of pools. */
export interface PoolTypeFacts {
  /** Parts of `<source>` that are kept. */
  readonly parts: readonly SourcePart[];
  /** Formats of the source; undefined: a source of this type has none. */
  readonly sourceFormats?: Formats;
  /** Formats of the pool's volumes; undefined: its volumes have none. */
  readonly volumeFormats?: Formats;
  /** Whether the pool is a server's, which volumes are reached through, so that it has no `<target>`. */
  readonly isRemote?: true;
  /** Whether the target is a folder with volumes as files. */
  readonly isFolder?: true;
  /** Whether a start mounts the source at the target. */
  readonly isMounted?: true;
  /** Folder of the source's name, which is the target whatever the XML says. */
  readonly targetWithin?: string;
}

/** virStorageFileFormat of libvirt. */
const FILES: Formats = {
  standard: "raw",
  values: [
    ...["none", "raw", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop"],
    ...["cow", "qcow", "qcow2", "qed", "vmdk"],
  ],
};
/** virStoragePoolFormatFileSystem */
const FILE_SYSTEMS: Formats = {
  standard: "auto",
  values: [
    ...["auto", "ext2", "ext3", "ext4", "ufs", "iso9660", "udf", "gfs", "gfs2", "vfat", "hfs+", "xfs"],
    ...["ocfs2", "vmfs"],
  ],
};
/** virStoragePoolFormatFileSystemNet */
const NET_FILE_SYSTEMS: Formats = { standard: "auto", values: ["auto", "nfs", "glusterfs", "cifs"] };
/** virStoragePoolFormatDisk */
const PARTITION_TABLES: Formats = {
  standard: "unknown",
  values: ["unknown", "dos", "dvh", "gpt", "mac", "bsd", "pc98", "sun", "lvm2"],
};
/** virStorageVolFormatDisk */
const PARTITIONS: Formats = {
  standard: "none",
  values: ["none", "linux", "fat16", "fat32", "linux-swap", "linux-lvm", "linux-raid", "extended"],
};
/** virStoragePoolFormatLogical */
const VOLUME_GROUPS: Formats = { standard: "lvm2", values: ["unknown", "lvm2"] };

/** Properties of each type. poolTypeInfo in src/conf/storage_conf.c of libvirt */
export const POOL_TYPE_FACTS: Readonly<Record<PoolType, PoolTypeFacts>> = {
  dir: { parts: [], volumeFormats: FILES, isFolder: true },
  fs: {
    parts: ["devices"],
    sourceFormats: FILE_SYSTEMS,
    volumeFormats: FILES,
    isFolder: true,
    isMounted: true,
  },
  netfs: {
    parts: ["hosts", "dir"],
    sourceFormats: NET_FILE_SYSTEMS,
    volumeFormats: FILES,
    isFolder: true,
    isMounted: true,
  },
  logical: { parts: ["devices", "name"], sourceFormats: VOLUME_GROUPS, targetWithin: "/dev" },
  disk: { parts: ["devices"], sourceFormats: PARTITION_TABLES, volumeFormats: PARTITIONS },
  iscsi: { parts: ["hosts", "devices", "initiator"] },
  "iscsi-direct": { parts: ["hosts", "devices", "initiator"], isRemote: true },
  scsi: { parts: ["adapter"] },
  mpath: { parts: [] },
  rbd: { parts: ["hosts", "name"], volumeFormats: { standard: "raw", values: [] }, isRemote: true },
  sheepdog: { parts: ["hosts", "name"], isRemote: true },
  gluster: { parts: ["hosts", "dir", "name"], volumeFormats: FILES, isRemote: true },
  zfs: { parts: ["devices", "name"], targetWithin: "/dev/zvol" },
  vstorage: { parts: ["name"], volumeFormats: FILES, isFolder: true },
};
