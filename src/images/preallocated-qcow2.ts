import {
  ENTRY_BYTES,
  formatCounts,
  formatEntries,
  type ImageWrite,
  MOST_REFCOUNT_BYTES,
} from "./image-writes.ts";
import { cannotHold, countTables, REFCOUNT_TABLE, writeHeader } from "./new-qcow2.ts";
import { decideQcow2Layout, type Qcow2Layout, type Qcow2Options } from "./qcow2-features.ts";

/**
 * Bit of an entry whose table or cluster is used once. QCOW_OFLAG_COPIED of qemu.git docs/interop/qcow2.rst
 */
const COPIED = 0x80000000;

/** Image with tables for all of it. */
interface PreallocatedImage {
  readonly bytes: Uint8Array;
  /** Length of its file. */
  readonly sizeBytes: number;
  /** Tables, to be written behind the first bytes. They are made in turn, since they take memory. */
  readonly parts: Iterable<ImageWrite>;
}

/** Numbers of the first cluster of each kind, in their order in the file. */
interface Places {
  readonly layout: Qcow2Layout;
  readonly clusterBytes: number;
  readonly blocks: number;
  readonly l1: number;
  readonly l2: number;
  readonly data: number;
  readonly end: number;
}

/**
 * Returns a qcow2 image without a backing file, each cluster of which has its place in the file. The places
 * are holes. Throws "unsupported" as formatNewImage(). preallocate_co() of qemu.git block/qcow2.c
 */
export function preallocateImage(image: {
  readonly sizeBytes: number;
  readonly options?: Qcow2Options | undefined;
}): PreallocatedImage {
  const { options = {}, sizeBytes } = image;
  const layout = decideQcow2Layout(options);
  const clusterBytes = 2 ** layout.clusterBits;
  const dataClusters = Math.ceil(sizeBytes / clusterBytes);
  const l2Clusters = Math.ceil((dataClusters * layout.entryBytes) / clusterBytes);
  const tables = countTables(layout, sizeBytes, l2Clusters + dataClusters);
  const { l1Entries, refcountClusters } = tables;
  if (refcountClusters * clusterBytes > MOST_REFCOUNT_BYTES)
    throw cannotHold(`${sizeBytes} bytes are too many`, "Request a smaller image, or larger clusters.");
  const blocks = REFCOUNT_TABLE + refcountClusters;
  const l1 = blocks + tables.blocks;
  const l2 = l1 + tables.l1Clusters;
  const data = l2 + l2Clusters;
  const places = { layout, clusterBytes, blocks, l1, l2, data, end: data + dataClusters };
  const bytes = new Uint8Array(clusterBytes);
  const refcountAt = REFCOUNT_TABLE * clusterBytes;
  writeHeader(bytes, layout, { sizeBytes, l1Entries, l1At: l1 * clusterBytes, refcountAt, refcountClusters });
  return { bytes, sizeBytes: places.end * clusterBytes, parts: listTables(places) };
}

/** Yields the table of reference counts, its blocks, the L1 table and the L2 tables. */
function* listTables(places: Places): Generator<ImageWrite> {
  const { blocks, clusterBytes, data, end, l1, l2, layout } = places;
  const at = (cluster: number): number => cluster * clusterBytes;
  yield {
    offset: at(REFCOUNT_TABLE),
    bytes: formatEntries(Array.from({ length: l1 - blocks }, (_, block) => at(blocks + block))),
  };
  const byBlock = clusterBytes / formatCounts(1, 1).length;
  for (let block = blocks, first = 0; block < l1; block += 1, first += byBlock)
    yield { offset: at(block), bytes: formatCounts(Math.max(0, Math.min(byBlock, end - first)), 1) };
  yield {
    offset: at(l1),
    bytes: formatPlaces(at(l2), { count: data - l2, clusterBytes, entryBytes: ENTRY_BYTES }),
  };
  const byTable = clusterBytes / layout.entryBytes;
  for (let table = l2, first = data; table < data; table += 1, first += byTable)
    yield {
      offset: at(table),
      bytes: formatPlaces(at(first), {
        count: Math.min(byTable, end - first),
        clusterBytes,
        entryBytes: layout.entryBytes,
      }),
    };
}

/** Formats the places of successive clusters. */
function formatPlaces(
  first: number,
  to: { readonly count: number; readonly clusterBytes: number; readonly entryBytes: number },
): Uint8Array {
  const bytes = new Uint8Array(to.count * to.entryBytes);
  const view = new DataView(bytes.buffer);
  for (let entry = 0; entry < to.count; entry += 1) {
    const place = first + entry * to.clusterBytes;
    view.setUint32(entry * to.entryBytes, Math.floor(place / 2 ** 32) + COPIED);
    view.setUint32(entry * to.entryBytes + 4, place % 2 ** 32);
  }
  return bytes;
}
