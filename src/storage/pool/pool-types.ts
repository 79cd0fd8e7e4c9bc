import type { PoolSource } from "./source/source.ts";

/** Types of storage pools, in libvirt's order. virStoragePool in src/conf/storage_conf.c of libvirt */
export const POOL_TYPES = [
  ...(["dir", "fs", "netfs", "logical", "disk", "iscsi", "iscsi-direct", "scsi", "mpath"] as const),
  ...(["rbd", "sheepdog", "gluster", "zfs", "vstorage"] as const),
] as const;

/** Type of a storage pool. */
export type PoolType = (typeof POOL_TYPES)[number];

/** Parts of a pool's `<source>` in some types only. */
export const SOURCE_PARTS = ["hosts", "devices", "dir", "adapter", "name", "initiator"] as const;

/** Part of a pool's `<source>` in some types only. */
export type SourcePart = (typeof SOURCE_PARTS)[number];

/** Values of a format, and its default. */
export interface Formats {
  readonly standard: string;
  readonly values: readonly string[];
}

/** Parts of a pool about its source and its place. */
export interface SourcedPool {
  readonly name: string;
  readonly source: PoolSource;
  readonly target?: { readonly path: string };
  readonly mountOptions?: { readonly options: readonly { readonly name: string }[] };
}
