import { SvirtError } from "../errors.ts";
import { HEADER_BYTES } from "./header.ts";
import { brokenHeader, headerBytes } from "./header-bytes.ts";
import {
  clustersFor,
  ENTRY_BYTES,
  type ImageBytes,
  MOST_L1_BYTES,
  MOST_REFCOUNT_BYTES,
} from "./image-writes.ts";
import type { Compression } from "./qcow2-features.ts";
import { parseQcow2Header, parseQcow2Options } from "./qcow2-header.ts";
import { haveSnapshotsSizes } from "./qcow2-snapshots.ts";

/** Places in the header. qemu.git docs/interop/qcow2.rst */
const [SIZE, L1_ENTRIES, L1, REFCOUNTS, REFCOUNT_CLUSTERS] = [24, 36, 40, 48, 56];
const [SNAPSHOTS, SNAPSHOT_TABLE] = [60, 64];
const [INCOMPATIBLE, AUTOCLEAR, REFCOUNT_ORDER] = [72, 88, 96];
/** Places in the header of version 3. */
const [HEADER_LENGTH, COMPRESSION] = [100, 104];
/** Bits of incompatible_features. */
const [DIRTY, CORRUPT] = [1n << 0n, 1n << 1n];
/** Reference counts of 16 bits, as always in version 2. */
const ORDER = 4;

/** Tables of a qcow2 image: their places and sizes. */
export interface Qcow2Tables {
  readonly clusterBytes: number;
  /** Bytes mapped by an entry of the L1 table. */
  readonly bytesByEntry: number;
  /** Bytes of an entry of an L2 table. */
  readonly mappingBytes: number;
  readonly sizeBytes: number;
  readonly l1: { readonly at: number; readonly entries: number };
  readonly refcounts: { readonly at: number; readonly clusters: number };
}

/** Tables of an image being read, and the form of their entries. */
export interface Qcow2Mapping extends Qcow2Tables {
  readonly compat: "0.10" | "1.1";
  readonly extendedL2: boolean;
  readonly compression: Compression;
}

/**
 * Reads the places of the tables of a qcow2 image, to change them. Throws "failed" for a broken header,
 * "unsupported" for an image with more than these tables and guest data, and for unreliable reference counts.
 */
export function readQcow2Tables(image: ImageBytes): Qcow2Tables & { readonly hasSnapshots: boolean } {
  const bytes = readHeader(image);
  const { dataFile, encryption } = parseQcow2Header(bytes);
  const header = headerBytes("qcow2", bytes, "big");
  if (encryption !== undefined) throw notChanged("it is encrypted");
  if (dataFile !== undefined) throw notChanged("its data is in another file");
  const { compat } = parseQcow2Options(bytes);
  if (compat === "1.1") refuseFeatures(header);
  const count = header.u32(SNAPSHOTS);
  // Version 2 does not require a snapshot's size. qcow2_co_truncate() of qemu.git block/qcow2.c
  if (
    count > 0 &&
    (compat === "0.10" || !haveSnapshotsSizes(image, { at: header.u64(SNAPSHOT_TABLE), count }))
  )
    throw notChanged("it has internal snapshots that need not have the size of their disk");
  return { ...parseTables(bytes), hasSnapshots: count > 0 };
}

/**
 * Reads where the tables of a qcow2 image are, to read its data. Throws "failed" for a broken header,
 * "unsupported" for data in another file or encrypted.
 */
export function readQcow2Mapping(image: ImageBytes): Qcow2Mapping {
  const bytes = readHeader(image);
  const { dataFile, encryption } = parseQcow2Header(bytes);
  if (encryption !== undefined) throw notRead(`it is encrypted (${encryption})`);
  if (dataFile !== undefined) throw notRead("its data is in another file");
  const { compat, extendedL2 } = parseQcow2Options(bytes);
  const header = headerBytes("qcow2", bytes, "big");
  const isLong = compat === "1.1" && header.u32(HEADER_LENGTH) > COMPRESSION;
  return {
    ...parseTables(bytes),
    compat,
    extendedL2,
    compression: isLong && header.u8(COMPRESSION) === 1 ? "zstd" : "zlib",
  };
}

function readHeader(image: ImageBytes): Uint8Array {
  return image.read(0, Math.min(HEADER_BYTES, image.sizeBytes));
}

function parseTables(bytes: Uint8Array): Qcow2Tables {
  const { clusterBytes, extendedL2 } = parseQcow2Options(bytes);
  const header = headerBytes("qcow2", bytes, "big");
  const mappingBytes = extendedL2 ? 16 : 8;
  const tables: Qcow2Tables = {
    clusterBytes,
    mappingBytes,
    bytesByEntry: (clusterBytes / mappingBytes) * clusterBytes,
    sizeBytes: header.u64(SIZE),
    l1: { at: header.u64(L1), entries: header.u32(L1_ENTRIES) },
    refcounts: { at: header.u64(REFCOUNTS), clusters: header.u32(REFCOUNT_CLUSTERS) },
  };
  checkPlaces(tables);
  return tables;
}

function refuseFeatures(header: ReturnType<typeof headerBytes>): void {
  const order = header.u32(REFCOUNT_ORDER);
  if (order !== ORDER)
    throw notChanged(`its reference counts have ${2 ** order} bits, and svirt writes those of 16 bits only`);
  if ((header.bits64(INCOMPATIBLE) & (DIRTY | CORRUPT)) !== 0n)
    throw notChanged(
      "it was not closed, and its reference counts may be wrong",
      "While no guest uses it: qemu-img check -r all FILE.",
    );
  if (header.bits64(AUTOCLEAR) !== 0n)
    throw notChanged("it has persistent bitmaps, or a feature that svirt does not know");
}

function checkPlaces(tables: Qcow2Tables): void {
  const { bytesByEntry, clusterBytes, l1, refcounts, sizeBytes } = tables;
  if (l1.at % clusterBytes !== 0 || refcounts.at % clusterBytes !== 0 || refcounts.at === 0)
    throw brokenHeader("qcow2", `its tables are at ${l1.at} and ${refcounts.at}`);
  const l1End = l1.at + clustersFor(l1.entries, clusterBytes) * clusterBytes;
  const isApart = l1End <= refcounts.at || refcounts.at + refcounts.clusters * clusterBytes <= l1.at;
  if ((l1.at === 0 && l1.entries > 0) || !isApart)
    throw brokenHeader("qcow2", `its tables overlap at ${l1.at}`);
  if (l1.entries * ENTRY_BYTES > MOST_L1_BYTES || l1.entries * bytesByEntry < sizeBytes)
    throw brokenHeader("qcow2", `its L1 table has ${l1.entries} entries`);
  if (refcounts.clusters === 0 || refcounts.clusters * clusterBytes > MOST_REFCOUNT_BYTES)
    throw brokenHeader("qcow2", `its table of reference counts has ${refcounts.clusters} clusters`);
}

/** Returns the refusal to change the tables of an image. */
export function notChanged(
  why: string,
  remedy = "While no guest uses it: qemu-img resize FILE SIZE.",
): SvirtError {
  return new SvirtError(`Cannot resize the qcow2 image: ${why}`, { kind: "unsupported", remedy });
}

function notRead(why: string): SvirtError {
  return new SvirtError(`Cannot convert the qcow2 image: ${why}`, {
    kind: "unsupported",
    remedy: "While no guest uses it: qemu-img convert -O qcow2 IMAGE COPY.",
  });
}
