import {
  clustersFor,
  ENTRY_BYTES,
  formatCounts,
  formatEntries,
  type ImageBytes,
  type ImageWrite,
  type ImageWrites,
  MOST_REFCOUNT_BYTES,
  REFCOUNT_BYTES,
} from "./image-writes.ts";
import type { Refcounts } from "./qcow2-refcounts.ts";
import { notChanged, type Qcow2Tables } from "./qcow2-tables.ts";

/** Place of the table of reference counts in the header. Its number of clusters follows. */
const REFCOUNTS = 48;

/** Tables of an image. */
interface Tables {
  readonly tables: Qcow2Tables;
  readonly refcounts: Refcounts;
}

/**
 * New clusters at the end of an image: a table of reference counts, if that grows, blocks of counts, and an
 * L1 table.
 */
interface NewClusters {
  readonly first: number;
  readonly refcountClusters: number;
  readonly l1: number;
  readonly end: number;
}

/** Part of a block of counts. */
interface Counted {
  readonly block: number;
  readonly first: number;
  readonly end: number;
}

/**
 * Plans an L1 table with more entries behind all clusters in use: the writes before the header names it, its
 * place, and the writes to free the old table. The counts of clusters are on disk before anything names them,
 * and after nothing does.
 */
export function planMovedTable(
  image: ImageBytes,
  { refcounts, tables }: Tables,
  entries: number,
): { readonly before: ImageWrites; readonly at: number; readonly after: ImageWrites } {
  const { clusterBytes, l1 } = tables;
  const made = placeClusters(image, { refcounts, tables }, entries);
  const [kept, added] = partition(
    partsOf(refcounts, made),
    (part) => refcounts.blockAt(part.block) !== undefined,
  );
  const l1Bytes = new Uint8Array(clustersFor(entries, clusterBytes) * clusterBytes);
  l1Bytes.set(image.read(l1.at, l1.entries * ENTRY_BYTES));
  const at = made.l1 * clusterBytes;
  const blocks = added.map((part, index) => ({
    offset: (made.first + made.refcountClusters + index) * clusterBytes,
    bytes: blockWith(clusterBytes, part),
  }));
  const places = new Map(added.map(({ block }, index) => [block, blocks[index]?.offset ?? 0]));
  const named = nameBlocks({ refcounts, tables }, made, places);
  const isMoved = made.refcountClusters > 0;
  const oldTable = tables.refcounts.at / clusterBytes;
  if (isMoved) refcounts.checkOnce(oldTable, tables.refcounts.clusters);
  return {
    before: [
      [{ offset: at, bytes: l1Bytes }, ...blocks, ...named.written],
      kept.map((part) => countsOf(refcounts, part, 1)),
      named.used,
    ].filter((writes) => writes.length > 0),
    at,
    after: [
      [
        ...freed(refcounts, l1.at / clusterBytes, clustersFor(l1.entries, clusterBytes)),
        ...(isMoved ? freed(refcounts, oldTable, tables.refcounts.clusters) : []),
      ],
    ].filter((writes) => writes.length > 0),
  };
}

/** Finds unused clusters, including clusters for the counts of the new clusters. */
function placeClusters(image: ImageBytes, { refcounts, tables }: Tables, entries: number): NewClusters {
  const { clusterBytes } = tables;
  const first = Math.max(Math.ceil(image.sizeBytes / clusterBytes), refcounts.countUsed());
  const l1Clusters = clustersFor(entries, clusterBytes);
  for (let [refcountClusters, blocks] = [0, 0]; ; ) {
    const l1 = first + refcountClusters + blocks;
    const end = l1 + l1Clusters;
    const last = Math.floor((end - 1) / refcounts.byBlock);
    const needed = last < refcounts.entries ? 0 : clustersFor(last + 1, clusterBytes);
    // QEMU opens no image with a larger table, and a table of a sparse file may be larger than the memory.
    if (!Number.isSafeInteger(end * clusterBytes) || needed * clusterBytes > MOST_REFCOUNT_BYTES)
      throw notChanged("its reference counts are those of a larger file");
    const missing = range(Math.floor(first / refcounts.byBlock), last + 1).filter(
      (block) => refcounts.blockAt(block) === undefined,
    );
    if (missing.length === blocks && needed === refcountClusters) return { first, refcountClusters, l1, end };
    [refcountClusters, blocks] = [needed, missing.length];
  }
}

/** Names the new blocks in the table of reference counts, or in a larger table, then named by the header. */
function nameBlocks(
  { refcounts, tables }: Tables,
  { first, refcountClusters }: NewClusters,
  places: ReadonlyMap<number, number>,
): { readonly written: readonly ImageWrite[]; readonly used: readonly ImageWrite[] } {
  const { clusterBytes } = tables;
  if (refcountClusters === 0) {
    const used = [...places].map(([block, place]) => ({
      offset: tables.refcounts.at + block * ENTRY_BYTES,
      bytes: formatEntries([place]),
    }));
    return { written: [], used };
  }
  const count = (refcountClusters * clusterBytes) / ENTRY_BYTES;
  const table = formatEntries(
    range(0, count).map((block) => places.get(block) ?? refcounts.blockAt(block) ?? 0),
  );
  const header = new Uint8Array(12);
  const view = new DataView(header.buffer);
  view.setBigUint64(0, BigInt(first * clusterBytes));
  view.setUint32(8, refcountClusters);
  return {
    written: [{ offset: first * clusterBytes, bytes: table }],
    used: [{ offset: REFCOUNTS, bytes: header }],
  };
}

/** Divides clusters by the blocks of their counts. */
function partsOf(
  { byBlock }: Refcounts,
  { end, first }: { readonly first: number; readonly end: number },
): readonly Counted[] {
  return range(Math.floor(first / byBlock), Math.floor((end - 1) / byBlock) + 1).map((block) => ({
    block,
    first: Math.max(0, first - block * byBlock),
    end: Math.min(byBlock, end - block * byBlock),
  }));
}

function blockWith(clusterBytes: number, { end, first }: Counted): Uint8Array {
  const bytes = new Uint8Array(clusterBytes);
  bytes.set(formatCounts(end - first, 1), first * REFCOUNT_BYTES);
  return bytes;
}

/** Writes the counts of clusters with an existing block. */
function countsOf(refcounts: Refcounts, { block, end, first }: Counted, count: 0 | 1): ImageWrite {
  const at = refcounts.blockAt(block) ?? 0;
  return { offset: at + first * REFCOUNT_BYTES, bytes: formatCounts(end - first, count) };
}

function freed(refcounts: Refcounts, first: number, clusters: number): readonly ImageWrite[] {
  if (clusters === 0) return [];
  return partsOf(refcounts, { first, end: first + clusters }).map((part) => countsOf(refcounts, part, 0));
}

function range(from: number, end: number): readonly number[] {
  return Array.from({ length: Math.max(0, end - from) }, (_, index) => from + index);
}

function partition<Item>(
  items: readonly Item[],
  isFirst: (item: Item) => boolean,
): readonly [readonly Item[], readonly Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
