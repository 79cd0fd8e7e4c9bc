import { brokenHeader } from "./header-bytes.ts";
import {
  clustersFor,
  ENTRY_BYTES,
  type ImageBytes,
  type ImageWrite,
  type ImageWrites,
  MOST_L1_BYTES,
} from "./image-writes.ts";
import { planMovedTable } from "./moved-table.ts";
import { readRefcounts } from "./qcow2-refcounts.ts";
import { notChanged, type Qcow2Tables, readQcow2Tables } from "./qcow2-tables.ts";

/** Place of the size in the header. The encryption method, the size of the L1 table and its place follow. */
const SIZE = 24;
/**
 * Bits of an entry with the place of a table or a cluster, and bits with the place of a cluster of data,
 * possibly compressed. qemu.git docs/interop/qcow2.rst
 */
const PLACE = 0x00fffffffffffe00n;
const COMPRESSED = 1n << 62n;
const DATA = PLACE | COMPRESSED;
/** Most bytes of L2 tables searched for data. */
const MOST_SEARCHED_BYTES = 128 * 1024 * 1024;

/**
 * Plans the writes for a new size of a qcow2 image. Between any two of them the image is whole: it has the
 * old or the new size, and at most unused clusters. Throws "failed" for a broken image; "unsupported" for
 * data behind the new size, and for an image unsuitable for changes by svirt. qemu.git docs/interop/qcow2.rst
 */
export function planResizedQcow2(image: ImageBytes, sizeBytes: number): ImageWrites {
  const tables = readQcow2Tables(image);
  const { bytesByEntry, clusterBytes, l1 } = tables;
  if (tables.hasSnapshots && sizeBytes < tables.sizeBytes)
    throw notChanged(
      "it has internal snapshots",
      "While no guest uses the image: qemu-img resize --shrink FILE SIZE.",
    );
  // The old end too: a table behind it, as of a removed state of memory, would become the guest's disk.
  refuseDataBehind(image, tables, Math.min(sizeBytes, tables.sizeBytes));
  if (sizeBytes < tables.sizeBytes) refuseCutData(image, tables, sizeBytes);
  const entries = Math.ceil(sizeBytes / bytesByEntry);
  if (entries * ENTRY_BYTES > MOST_L1_BYTES)
    throw notChanged(
      `${sizeBytes} bytes are too many for its clusters`,
      "Request a smaller size, or convert it: qemu-img convert -O qcow2 -o cluster_size=2M FILE LARGER.",
    );
  if (entries <= l1.entries) return [[formatSize(sizeBytes, l1)]];
  const refcounts = readRefcounts(image, tables);
  const clusters = clustersFor(l1.entries, clusterBytes);
  // Its last cluster has no other content then.
  refcounts.checkOnce(l1.at / clusterBytes, clusters);
  if (clustersFor(entries, clusterBytes) === clusters) {
    const added = (entries - l1.entries) * ENTRY_BYTES;
    const zeros = { offset: l1.at + l1.entries * ENTRY_BYTES, bytes: new Uint8Array(added) };
    return [[zeros], [formatSize(sizeBytes, { at: l1.at, entries })]];
  }
  const moved = planMovedTable(image, { tables, refcounts }, entries);
  return [...moved.before, [formatSize(sizeBytes, { at: moved.at, entries })], ...moved.after];
}

/** Formats the size with its L1 table: both are in a single sector. */
function formatSize(sizeBytes: number, l1: Qcow2Tables["l1"]): ImageWrite {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(sizeBytes));
  view.setUint32(12, l1.entries);
  view.setBigUint64(16, BigInt(l1.at));
  return { offset: SIZE, bytes };
}

/** Throws "unsupported" if a cluster behind a size has data. */
function refuseDataBehind(image: ImageBytes, tables: Qcow2Tables, sizeBytes: number): void {
  const { bytesByEntry, clusterBytes, l1, mappingBytes } = tables;
  const firstCluster = Math.ceil(sizeBytes / clusterBytes);
  const first = Math.floor((firstCluster * clusterBytes) / bytesByEntry);
  const entries = image.read(l1.at + first * ENTRY_BYTES, Math.max(0, l1.entries - first) * ENTRY_BYTES);
  let searchedBytes = 0;
  for (const [index, word] of listUsed(entries, { mask: PLACE, step: ENTRY_BYTES })) {
    const at = placeOfTable(image, tables, word);
    const skipped = index === 0 ? (firstCluster * mappingBytes) % clusterBytes : 0;
    const mapped = image.read(at + skipped, clusterBytes - skipped);
    searchedBytes += mapped.length;
    // With subclusters each entry has a second number, the map of them.
    const isUsed = listUsed(mapped, { mask: DATA, step: mappingBytes }).next().done !== true;
    if (isUsed) throw dataBehind(sizeBytes);
    if (searchedBytes > MOST_SEARCHED_BYTES)
      throw notChanged(
        `it has too many L2 tables behind its first ${sizeBytes} bytes`,
        "While no guest uses the image: qemu-img resize --shrink FILE SIZE.",
      );
  }
}

/** Throws "unsupported" if the cluster in which a size ends has data behind it. */
function refuseCutData(image: ImageBytes, tables: Qcow2Tables, sizeBytes: number): void {
  const { bytesByEntry, clusterBytes, l1, mappingBytes } = tables;
  const keptBytes = sizeBytes % clusterBytes;
  if (keptBytes === 0) return;
  const table = wordAt(image, l1.at + Math.floor(sizeBytes / bytesByEntry) * ENTRY_BYTES);
  if ((table & PLACE) === 0n) return;
  const entry = (Math.floor(sizeBytes / clusterBytes) * mappingBytes) % clusterBytes;
  const word = wordAt(image, placeOfTable(image, tables, table) + entry);
  if ((word & COMPRESSED) !== 0n) throw dataBehind(sizeBytes);
  const at = Number(word & PLACE);
  if (at === 0 || at >= image.sizeBytes) return;
  if (image.read(at + keptBytes, clusterBytes - keptBytes).some((byte) => byte !== 0))
    throw dataBehind(sizeBytes);
}

/** Returns the place of an L2 table. Throws "failed" for an impossible place. */
function placeOfTable(image: ImageBytes, { clusterBytes }: Qcow2Tables, word: bigint): number {
  const at = Number(word & PLACE);
  if (at % clusterBytes !== 0 || at >= image.sizeBytes)
    throw brokenHeader("qcow2", `an L2 table is at ${at}`);
  return at;
}

function wordAt(image: ImageBytes, at: number): bigint {
  const bytes = image.read(at, ENTRY_BYTES);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
}

/**
 * Yields the entries of a table with any of these bits, with their numbers. A table has up to four million.
 */
function* listUsed(
  bytes: Uint8Array,
  { mask, step }: { readonly mask: bigint; readonly step: number },
): Generator<readonly [number, bigint]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += step) {
    if (view.getUint32(at) === 0 && view.getUint32(at + 4) === 0) continue;
    const word = view.getBigUint64(at);
    if ((word & mask) !== 0n) yield [at / step, word];
  }
}

function dataBehind(sizeBytes: number) {
  return notChanged(
    `it has data behind its first ${sizeBytes} bytes`,
    "Let the guest discard it, or, while no guest uses the image, cut it off: qemu-img resize --shrink FILE SIZE.",
  );
}
