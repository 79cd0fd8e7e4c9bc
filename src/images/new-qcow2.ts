import { SvirtError } from "../errors.ts";
import { ENTRY_BYTES, formatEntries, MOST_L1_BYTES, REFCOUNT_BYTES } from "./image-writes.ts";
import { decideQcow2Layout, type Qcow2Layout, type Qcow2Options } from "./qcow2-features.ts";

/** Image to create. */
export interface NewImage {
  readonly format: "raw" | "qcow2";
  /** Size visible to the guest. */
  readonly sizeBytes: number;
  /** Backing file of a qcow2 image. */
  readonly backing?: { readonly path: string; readonly format: string } | undefined;
  /** Options of a qcow2 image. */
  readonly options?: Qcow2Options | undefined;
  /** Header of LUKS by which the image is encrypted, with the place of its keys. */
  readonly luks?: Uint8Array | undefined;
}

/** Reference counts of 2^4 bits. */
const REFCOUNT_ORDER = 4;
const [BACKING_FORMAT, ENCRYPTION] = [0xe2792aca, 0x0537be77];
/** Encryption by LUKS, in the field crypt_method. */
const LUKS_METHOD = 2;
const LONGEST_BACKING_NAME = 1023;
/**
 * The header is cluster 0. The table of reference counts, its blocks, the L1 table and the header of LUKS
 * follow.
 */
export const REFCOUNT_TABLE = 1;

/** Number of clusters of each table of a new image. */
interface Tables {
  readonly l1Entries: number;
  readonly l1Clusters: number;
  readonly refcountClusters: number;
  readonly blocks: number;
}

/**
 * Returns the first bytes of a new image. A raw image has none but the header of its encryption, since it is
 * all zeros. A qcow2 image is returned whole, since an empty image has no data. Throws "unsupported" for a
 * size, a name or options impossible in qcow2. qemu.git docs/interop/qcow2.rst
 */
export function formatNewImage({ backing, format, luks, options = {}, sizeBytes }: NewImage): Uint8Array {
  if (format === "raw") return luks ?? new Uint8Array();
  const layout = decideQcow2Layout(options);
  const { blocks, clusterBytes, clusters, firstBlock, l1Entries, l1Table, luksAt, refcountClusters } =
    placesIn(layout, sizeBytes, luks?.length ?? 0);
  const bytes = new Uint8Array(clusters * clusterBytes);
  const view = new DataView(bytes.buffer);
  const refcountAt = REFCOUNT_TABLE * clusterBytes;
  writeHeader(bytes, layout, {
    sizeBytes,
    l1Entries,
    l1At: l1Table * clusterBytes,
    refcountAt,
    refcountClusters,
  });
  const extensions: Extension[] = [];
  if (luks !== undefined) {
    bytes.set(luks, luksAt);
    view.setUint32(32, LUKS_METHOD);
    extensions.push({ type: ENCRYPTION, bytes: formatEntries([luksAt, luks.length]) });
  }
  if (backing !== undefined)
    extensions.push({ type: BACKING_FORMAT, bytes: new TextEncoder().encode(backing.format) });
  writeExtensions(bytes.subarray(0, clusterBytes), layout, { extensions, backing });
  for (let block = 0; block < blocks; block += 1)
    view.setBigUint64(
      REFCOUNT_TABLE * clusterBytes + block * ENTRY_BYTES,
      BigInt((firstBlock + block) * clusterBytes),
    );
  // The blocks follow each other, and so do their counts.
  for (let cluster = 0; cluster < clusters; cluster += 1)
    view.setUint16(firstBlock * clusterBytes + cluster * REFCOUNT_BYTES, 1);
  return bytes;
}

/** Returns where the header of LUKS begins in a new image. In bytes. */
export function luksPlace({ format, options = {}, sizeBytes }: NewImage, luksBytes: number): number {
  return format === "raw" ? 0 : placesIn(decideQcow2Layout(options), sizeBytes, luksBytes).luksAt;
}

/** Parts of a new image: bytes of `luksAt`, otherwise clusters. */
interface Places extends Tables {
  readonly clusterBytes: number;
  readonly firstBlock: number;
  readonly l1Table: number;
  readonly luksAt: number;
  readonly clusters: number;
}

function placesIn(layout: Qcow2Layout, sizeBytes: number, luksBytes: number): Places {
  const clusterBytes = 2 ** layout.clusterBits;
  const luksClusters = Math.ceil(luksBytes / clusterBytes);
  const tables = countTables(layout, sizeBytes, luksClusters);
  const firstBlock = REFCOUNT_TABLE + tables.refcountClusters;
  const l1Table = firstBlock + tables.blocks;
  const luksAt = (l1Table + tables.l1Clusters) * clusterBytes;
  const clusters = l1Table + tables.l1Clusters + luksClusters;
  return { ...tables, clusterBytes, firstBlock, l1Table, luksAt, clusters };
}

/** Counts the clusters of the tables, including the clusters of all counts. */
export function countTables({ clusterBits, entryBytes }: Qcow2Layout, sizeBytes: number, others = 0): Tables {
  const clusterBytes = 2 ** clusterBits;
  // An L2 table is a cluster of entries, and each entry maps a cluster of data.
  const bytesByEntry = (clusterBytes / entryBytes) * clusterBytes;
  const l1Entries = Math.max(1, Math.ceil(sizeBytes / bytesByEntry));
  const l1Clusters = Math.ceil((l1Entries * ENTRY_BYTES) / clusterBytes);
  if (l1Clusters * clusterBytes > MOST_L1_BYTES || !Number.isSafeInteger(sizeBytes))
    throw cannotHold(`${sizeBytes} bytes are too many`, "Request a smaller image, or larger clusters.");
  let [refcountClusters, blocks] = [1, 1];
  for (;;) {
    const clusters = REFCOUNT_TABLE + refcountClusters + blocks + l1Clusters + others;
    const needed = Math.ceil((clusters * REFCOUNT_BYTES) / clusterBytes);
    const table = Math.ceil((needed * ENTRY_BYTES) / clusterBytes);
    if (needed <= blocks && table <= refcountClusters)
      return { l1Entries, l1Clusters, refcountClusters, blocks };
    [refcountClusters, blocks] = [table, needed];
  }
}

/** Writes the header into the first bytes of an image. */
export function writeHeader(
  bytes: Uint8Array,
  { clusterBits, compatible, headerBytes, incompatible, version }: Qcow2Layout,
  facts: Pick<Tables, "l1Entries" | "refcountClusters"> & {
    readonly sizeBytes: number;
    readonly l1At: number;
    readonly refcountAt: number;
  },
): void {
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, version);
  view.setUint32(20, clusterBits);
  view.setBigUint64(24, BigInt(facts.sizeBytes));
  view.setUint32(36, facts.l1Entries);
  view.setBigUint64(40, BigInt(facts.l1At));
  view.setBigUint64(48, BigInt(facts.refcountAt));
  view.setUint32(56, facts.refcountClusters);
  if (version === 2) return;
  view.setBigUint64(72, incompatible);
  view.setBigUint64(80, compatible);
  view.setUint32(96, REFCOUNT_ORDER);
  view.setUint32(100, headerBytes);
}

/** Extension of a header. */
interface Extension {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Writes the extensions, their end mark, and the backing file's name, all into the first cluster. */
function writeExtensions(
  cluster: Uint8Array,
  { headerBytes }: Qcow2Layout,
  { backing, extensions }: { readonly extensions: readonly Extension[] } & Pick<NewImage, "backing">,
): void {
  const view = new DataView(cluster.buffer);
  const name = new TextEncoder().encode(backing?.path);
  const endAt = extensions.reduce((at, { bytes }) => at + 8 + Math.ceil(bytes.length / 8) * 8, headerBytes);
  const nameAt = endAt + 8;
  if (name.length > LONGEST_BACKING_NAME || nameAt + name.length > cluster.length)
    throw cannotHold(
      `its backing file's name has ${name.length} bytes`,
      "Give the backing image a shorter path.",
    );
  let at = headerBytes;
  for (const { bytes, type } of extensions) {
    view.setUint32(at, type);
    view.setUint32(at + 4, bytes.length);
    cluster.set(bytes, at + 8);
    at += 8 + Math.ceil(bytes.length / 8) * 8;
  }
  if (backing === undefined) return;
  view.setBigUint64(8, BigInt(nameAt));
  view.setUint32(16, name.length);
  cluster.set(name, nameAt);
}

/** Returns the refusal of an image impossible in the format. */
export function cannotHold(why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot create a qcow2 image: ${why}`, { kind: "unsupported", remedy });
}
