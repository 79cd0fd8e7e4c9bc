import { SvirtError } from "../errors.ts";

/** Image to create. */
export interface NewImage {
  readonly format: "raw" | "qcow2";
  /** Size that the guest sees. */
  readonly sizeBytes: number;
  /** Backing file of a qcow2 image. */
  readonly backing?: { readonly path: string; readonly format: string } | undefined;
}

const CLUSTER_BITS = 16;
const CLUSTER_BYTES = 2 ** CLUSTER_BITS;
const ENTRY_BYTES = 8;
/** An L2 table is one cluster of entries, and each entry maps one cluster of data. */
const BYTES_BY_L1_ENTRY = (CLUSTER_BYTES / ENTRY_BYTES) * CLUSTER_BYTES;
/** QCOW_MAX_L1_SIZE of qemu.git block/qcow2.h */
const MOST_L1_BYTES = 32 * 1024 * 1024;
const HEADER_BYTES = 104;
const BACKING_FORMAT = 0xe2792aca;
const LONGEST_BACKING_NAME = 1023;
/** The header, the reference count table and its one block precede the L1 table. */
const [REFCOUNT_TABLE, REFCOUNT_BLOCK, L1_TABLE] = [1, 2, 3];

/**
 * Returns the first bytes of a new image. A raw one has none, since it is all zeros. A qcow2 (version 3) is returned
 * whole, since an empty one has no data. Throws "unsupported" for a size or a name that qcow2 cannot hold. qemu.git
 * docs/interop/qcow2.rst
 */
export function formatNewImage({ backing, format, sizeBytes }: NewImage): Uint8Array {
  if (format === "raw") return new Uint8Array();
  const l1Entries = Math.max(1, Math.ceil(sizeBytes / BYTES_BY_L1_ENTRY));
  const l1Clusters = Math.ceil((l1Entries * ENTRY_BYTES) / CLUSTER_BYTES);
  if (l1Clusters * CLUSTER_BYTES > MOST_L1_BYTES) throw cannotHold(`${sizeBytes} bytes are too many`);
  const bytes = new Uint8Array((L1_TABLE + l1Clusters) * CLUSTER_BYTES);
  const view = new DataView(bytes.buffer);
  writeHeader(view, { sizeBytes, l1Entries });
  if (backing !== undefined) writeBacking(bytes, backing);
  view.setBigUint64(REFCOUNT_TABLE * CLUSTER_BYTES, BigInt(REFCOUNT_BLOCK * CLUSTER_BYTES));
  for (let cluster = 0; cluster < L1_TABLE + l1Clusters; cluster += 1)
    view.setUint16(REFCOUNT_BLOCK * CLUSTER_BYTES + cluster * 2, 1);
  return bytes;
}

function writeHeader(
  view: DataView,
  sizes: { readonly sizeBytes: number; readonly l1Entries: number },
): void {
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, 3);
  view.setUint32(20, CLUSTER_BITS);
  view.setBigUint64(24, BigInt(sizes.sizeBytes));
  view.setUint32(36, sizes.l1Entries);
  view.setBigUint64(40, BigInt(L1_TABLE * CLUSTER_BYTES));
  view.setBigUint64(48, BigInt(REFCOUNT_TABLE * CLUSTER_BYTES));
  view.setUint32(56, 1);
  // Reference counts of 2^4 bits.
  view.setUint32(96, 4);
  view.setUint32(100, HEADER_BYTES);
}

/** Writes the format as an extension, the end mark of the extensions, and the name. */
function writeBacking(bytes: Uint8Array, backing: NonNullable<NewImage["backing"]>): void {
  const view = new DataView(bytes.buffer);
  const format = new TextEncoder().encode(backing.format);
  const name = new TextEncoder().encode(backing.path);
  if (name.length > LONGEST_BACKING_NAME)
    throw cannotHold(`its backing file's name has ${name.length} bytes`);
  view.setUint32(HEADER_BYTES, BACKING_FORMAT);
  view.setUint32(HEADER_BYTES + 4, format.length);
  bytes.set(format, HEADER_BYTES + 8);
  const nameAt = HEADER_BYTES + 8 + Math.ceil(format.length / 8) * 8 + 8;
  view.setBigUint64(8, BigInt(nameAt));
  view.setUint32(16, name.length);
  bytes.set(name, nameAt);
}

function cannotHold(why: string): SvirtError {
  return new SvirtError(`Cannot create a qcow2 image: ${why}`, {
    kind: "unsupported",
    remedy: "Give the backing image a shorter path.",
  });
}
