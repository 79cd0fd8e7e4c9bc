import type { SvirtError } from "../../errors.ts";
import {
  ENTRY_BYTES,
  formatCounts,
  formatEntries,
  type ImageWrite,
  MOST_L1_BYTES,
  MOST_REFCOUNT_BYTES,
  REFCOUNT_BYTES,
} from "../image-writes.ts";
import { cannotHold, writeHeader } from "../new-qcow2.ts";
import { decideQcow2Layout, type Qcow2Layout, type Qcow2Options } from "../qcow2-features.ts";
import { isZero, type Layer, listChunks } from "./guest-data.ts";
import { viewOf } from "./table-words.ts";

/**
 * Bit of an entry whose table or cluster is used once, in its upper half. QCOW_OFLAG_COPIED of qemu.git
 * docs/interop/qcow2.rst
 */
const COPIED = 0x80000000;
/** Bits of an extended entry with only allocated subclusters. */
const ALL_ALLOCATED = 0xffffffff;
/** The header is cluster 0, the L1 table follows. */
const L1_TABLE = 1;

/** L2 table in the making. */
interface Table {
  readonly index: number;
  readonly cluster: number;
  readonly bytes: Uint8Array;
}

/** Image in the making. */
interface NewTables {
  readonly layout: Qcow2Layout;
  readonly clusterBytes: number;
  /** The whole L1 table, of up to 32 MiB. */
  readonly l1: Uint8Array;
  readonly l1Entries: number;
  /** First unused cluster. */
  next: number;
  table: Table | undefined;
}

/** Image to write. */
interface ConvertedQcow2 {
  /** Size of the image, at least the disk's. */
  readonly sizeBytes: number;
  readonly options: Qcow2Options;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Yields a qcow2 image without a backing file, with the data of a disk. Clusters of zeros are not allocated.
 * Every cluster of the file is used once, so the counts are written at the end, and the header after
 * everything else. Throws "unsupported" for a size or options impossible in qcow2. qemu.git
 * docs/interop/qcow2.rst
 */
export function* listQcow2Writes(
  disk: Layer,
  { onProgress, options, sizeBytes }: ConvertedQcow2,
): Generator<ImageWrite> {
  const image = planTables(decideQcow2Layout(options), sizeBytes);
  const { clusterBytes } = image;
  for (const { bytes, offset } of listChunks(disk, clusterBytes, onProgress)) {
    for (let at = 0; at < bytes.length; ) {
      if (isZero(bytes.subarray(at, at + clusterBytes))) {
        at += clusterBytes;
        continue;
      }
      yield* openTable(image, Math.floor((offset + at) / bytesByTable(image)));
      const [start, place] = [at, image.next];
      const end = Math.min(bytes.length, at + bytesByTable(image) - ((offset + at) % bytesByTable(image)));
      for (; at < end && !isZero(bytes.subarray(at, at + clusterBytes)); at += clusterBytes)
        mapCluster(image, (offset + at) / clusterBytes);
      yield { offset: place * clusterBytes, bytes: bytes.subarray(start, at) };
    }
  }
  yield* closeTable(image);
  yield* listRest(image, sizeBytes);
}

function planTables(layout: Qcow2Layout, sizeBytes: number): NewTables {
  const clusterBytes = 2 ** layout.clusterBits;
  const l1Entries = Math.max(1, Math.ceil(sizeBytes / ((clusterBytes / layout.entryBytes) * clusterBytes)));
  const l1Clusters = Math.ceil((l1Entries * ENTRY_BYTES) / clusterBytes);
  if (l1Clusters * clusterBytes > MOST_L1_BYTES || !Number.isSafeInteger(sizeBytes))
    throw tooLarge(sizeBytes);
  const l1 = new Uint8Array(l1Clusters * clusterBytes);
  return { layout, clusterBytes, l1, l1Entries, next: L1_TABLE + l1Clusters, table: undefined };
}

/** Returns the number of bytes mapped by an L2 table. */
function bytesByTable({ clusterBytes, layout }: NewTables): number {
  return (clusterBytes / layout.entryBytes) * clusterBytes;
}

/** Allocates an L2 table, and yields the table before. */
function* openTable(image: NewTables, index: number): Generator<ImageWrite> {
  if (image.table?.index === index) return;
  yield* closeTable(image);
  image.table = { index, cluster: image.next, bytes: new Uint8Array(image.clusterBytes) };
  writeEntry(image.l1, index * ENTRY_BYTES, image.next * image.clusterBytes);
  image.next += 1;
}

function* closeTable({ clusterBytes, table }: NewTables): Generator<ImageWrite> {
  if (table !== undefined) yield { offset: table.cluster * clusterBytes, bytes: table.bytes };
}

/** Maps a cluster of the disk to the file's next cluster. */
function mapCluster(image: NewTables, cluster: number): void {
  const { clusterBytes, layout, table } = image;
  if (table === undefined) return;
  const at = (cluster % (clusterBytes / layout.entryBytes)) * layout.entryBytes;
  writeEntry(table.bytes, at, image.next * clusterBytes);
  if (layout.entryBytes > ENTRY_BYTES) viewOf(table.bytes).setUint32(at + ENTRY_BYTES + 4, ALL_ALLOCATED);
  image.next += 1;
}

/** Yields the counts, the table of their places, the L1 table and the header. */
function* listRest(image: NewTables, sizeBytes: number): Generator<ImageWrite> {
  const { clusterBytes, l1, l1Entries, layout, next } = image;
  const byBlock = clusterBytes / REFCOUNT_BYTES;
  const { blocks, refcountClusters } = countRefcounts(next, clusterBytes);
  if (refcountClusters * clusterBytes > MOST_REFCOUNT_BYTES) throw tooLarge(sizeBytes);
  const table = next + blocks;
  const end = table + refcountClusters;
  for (let block = 0; block < blocks; block += 1) {
    const counted = Math.max(0, Math.min(byBlock, end - block * byBlock));
    const bytes = new Uint8Array(clusterBytes);
    bytes.set(formatCounts(counted, 1));
    yield { offset: (next + block) * clusterBytes, bytes };
  }
  const bytes = new Uint8Array(refcountClusters * clusterBytes);
  bytes.set(formatEntries(Array.from({ length: blocks }, (_, block) => (next + block) * clusterBytes)));
  yield { offset: table * clusterBytes, bytes };
  yield { offset: L1_TABLE * clusterBytes, bytes: l1 };
  const header = new Uint8Array(clusterBytes);
  const refcountAt = table * clusterBytes;
  writeHeader(header, layout, {
    sizeBytes,
    l1Entries,
    l1At: L1_TABLE * clusterBytes,
    refcountAt,
    refcountClusters,
  });
  yield { offset: 0, bytes: header };
}

/** Counts the clusters of the counts of others and of themselves. */
function countRefcounts(
  others: number,
  clusterBytes: number,
): { readonly blocks: number; readonly refcountClusters: number } {
  for (let [blocks, refcountClusters] = [1, 1]; ; ) {
    const needed = Math.ceil(((others + blocks + refcountClusters) * REFCOUNT_BYTES) / clusterBytes);
    const table = Math.ceil((needed * ENTRY_BYTES) / clusterBytes);
    if (needed <= blocks && table <= refcountClusters) return { blocks, refcountClusters };
    [blocks, refcountClusters] = [needed, table];
  }
}

/** Writes the place of a table or a cluster. */
function writeEntry(bytes: Uint8Array, at: number, place: number): void {
  const view = viewOf(bytes);
  view.setUint32(at, Math.floor(place / 2 ** 32) + COPIED);
  view.setUint32(at + 4, place % 2 ** 32);
}

function tooLarge(sizeBytes: number): SvirtError {
  return cannotHold(`${sizeBytes} bytes are too many`, "Request a smaller image, or larger clusters.");
}
