import { SvirtError } from "../errors.ts";

/** Compression of clusters. Types 0 and 1 of qemu.git docs/interop/qcow2.rst */
export type Compression = "zlib" | "zstd";

/** Options of a new qcow2 image. Absent options have qemu-img's default. */
export interface Qcow2Options {
  /** Version of the format as qemu-img names it: 0.10 is version 2, 1.1 is version 3. */
  readonly compat?: "0.10" | "1.1" | undefined;
  readonly clusterBytes?: number | undefined;
  readonly lazyRefcounts?: boolean | undefined;
  readonly extendedL2?: boolean | undefined;
}

/** Options for a new image like an existing image. */
export interface Qcow2Properties {
  readonly compat: "0.10" | "1.1";
  readonly clusterBytes: number;
  readonly lazyRefcounts: boolean;
  readonly extendedL2: boolean;
}

/** Properties of a new qcow2 image; its tables and header follow from them. */
export interface Qcow2Layout {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  readonly headerBytes: number;
  /** Bytes of an entry for a cluster of data. */
  readonly entryBytes: number;
  readonly incompatible: bigint;
  readonly compatible: bigint;
}

/** Clusters of an image without a requested size. DEFAULT_CLUSTER_SIZE of qemu.git block/qcow2.h */
const DEFAULT_CLUSTER_BYTES = 65_536;
const [LEAST_CLUSTER_BITS, MOST_CLUSTER_BITS] = [9, 21];
/**
 * Least cluster with subclusters: 32 of a sector each. qemu.git docs/interop/qcow2.rst, "Extended L2 Entries"
 */
const LEAST_EXTENDED_BITS = 14;
/** Bit 4 of incompatible_features, and bit 0 of compatible_features. qemu.git docs/interop/qcow2.rst */
export const [EXTENDED_L2, LAZY_REFCOUNTS] = [1n << 4n, 1n];

/**
 * Returns the layout of a new image. Throws "unsupported" for options that contradict each other or the
 * format.
 */
export function decideQcow2Layout(options: Qcow2Options): Qcow2Layout {
  const { clusterBytes = DEFAULT_CLUSTER_BYTES, compat = "1.1" } = options;
  const [isExtended, isLazy] = [options.extendedL2 === true, options.lazyRefcounts === true];
  const clusterBits = bitsOf(clusterBytes);
  // As storageBackendCreateQemuImgOpts() of libvirt reports them.
  if (isLazy && compat === "0.10") throw notInOld("lazy_refcounts");
  if (isExtended && compat === "0.10") throw notInOld("'extended_l2'");
  if (isExtended && clusterBits < LEAST_EXTENDED_BITS)
    throw cannotCreate(
      `extended_l2 needs clusters of at least ${2 ** LEAST_EXTENDED_BITS} bytes`,
      "Write a larger <clusterSize>, or remove <extended_l2/>.",
    );
  return {
    version: compat === "0.10" ? 2 : 3,
    clusterBits,
    headerBytes: compat === "0.10" ? 72 : 104,
    entryBytes: isExtended ? 16 : 8,
    incompatible: isExtended ? EXTENDED_L2 : 0n,
    compatible: isLazy ? LAZY_REFCOUNTS : 0n,
  };
}

function bitsOf(clusterBytes: number): number {
  const bits = Math.log2(clusterBytes);
  if (Number.isInteger(bits) && bits >= LEAST_CLUSTER_BITS && bits <= MOST_CLUSTER_BITS) return bits;
  throw cannotCreate(
    `clusters of ${clusterBytes} bytes are not possible`,
    "Write a power of two from 512 bytes to 2 MiB as <clusterSize>.",
  );
}

function notInOld(feature: string): SvirtError {
  return cannotCreate(
    `${feature} not supported with compat level 0.10`,
    "Write <compat>1.1</compat>, or remove the feature.",
  );
}

function cannotCreate(why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot create a qcow2 image: ${why}`, { kind: "unsupported", remedy });
}
