import { brokenHeader } from "./header-bytes.ts";
import type { ImageBytes } from "./image-writes.ts";

/**
 * Bytes of an entry without its extra data and names, and places in it. qemu.git docs/interop/qcow2.rst,
 * "Snapshots"
 */
const [ENTRY_BYTES, ID_LENGTH, NAME_LENGTH, EXTRA_LENGTH] = [40, 12, 14, 36];
/** Extra data up to the size of the disk, required by version 3. */
const SIZED_BYTES = 16;
/** QCOW_MAX_SNAPSHOTS and QCOW_MAX_SNAPSHOT_EXTRA_DATA of qemu.git block/qcow2.h */
const [MOST_SNAPSHOTS, MOST_EXTRA_BYTES] = [65_536, 1024];

/**
 * Decides whether each internal snapshot records the size of its disk: the image may then get another size.
 * Throws "failed" for a broken table.
 */
export function haveSnapshotsSizes(
  image: ImageBytes,
  { at: table, count }: { readonly at: number; readonly count: number },
): boolean {
  if (count > MOST_SNAPSHOTS) throw brokenHeader("qcow2", `it has ${count} internal snapshots`);
  let at = table;
  for (let number = 0; number < count; number += 1) {
    if (at + ENTRY_BYTES > image.sizeBytes) throw brokenHeader("qcow2", `a snapshot is at ${at}`);
    const { buffer, byteOffset } = image.read(at, ENTRY_BYTES);
    const view = new DataView(buffer, byteOffset, ENTRY_BYTES);
    const extra = view.getUint32(EXTRA_LENGTH);
    if (extra > MOST_EXTRA_BYTES)
      throw brokenHeader("qcow2", `the snapshot at ${at} has ${extra} bytes of extra data`);
    if (extra < SIZED_BYTES) return false;
    const length = ENTRY_BYTES + extra + view.getUint16(ID_LENGTH) + view.getUint16(NAME_LENGTH);
    at += Math.ceil(length / 8) * 8;
  }
  return true;
}
