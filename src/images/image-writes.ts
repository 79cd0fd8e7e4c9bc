/** Bytes of an open image. */
export interface ImageBytes {
  /** Length of its file. */
  readonly sizeBytes: number;
  /** Returns this number of bytes; bytes behind the end of the file are zeros. */
  read(offset: number, length: number): Uint8Array;
}

/** Bytes to write into an image. */
export interface ImageWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Groups of writes, in their order. Each group is on disk before the next begins. */
export type ImageWrites = readonly (readonly ImageWrite[])[];

/**
 * Bytes of an entry of qcow2's L1 table, and of its table of reference counts. qemu.git
 * docs/interop/qcow2.rst
 */
export const ENTRY_BYTES = 8;
/** Bytes of a reference count of 2^4 bits. */
export const REFCOUNT_BYTES = 2;
/** QCOW_MAX_L1_SIZE of qemu.git block/qcow2.h */
export const MOST_L1_BYTES: number = 32 * 1024 * 1024;
/** QCOW_MAX_REFTABLE_SIZE of qemu.git block/qcow2.h */
export const MOST_REFCOUNT_BYTES: number = 8 * 1024 * 1024;

/** Returns the number of clusters of a table with this number of entries. */
export function clustersFor(entries: number, clusterBytes: number): number {
  return Math.ceil((entries * ENTRY_BYTES) / clusterBytes);
}

/** Returns numbers of 64 bits as they are in a table. */
export function formatEntries(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [at, number] of numbers.entries()) view.setBigUint64(at * ENTRY_BYTES, BigInt(number));
  return bytes;
}

/** Returns equal reference counts. */
export function formatCounts(length: number, count: 0 | 1): Uint8Array {
  return new Uint8Array(length * REFCOUNT_BYTES).map((_, at) => (at % REFCOUNT_BYTES === 1 ? count : 0));
}
