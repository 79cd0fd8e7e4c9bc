import type { ImageWrite } from "../image-writes.ts";
import { isZero, type Layer, listChunks } from "./guest-data.ts";

/** Zeros of this length and place become a hole. qemu-img convert -S */
const HOLE_BYTES = 4096;

/**
 * Yields the data of a disk for a raw image, in order; the rest of it is zeros. Nothing is written behind the
 * disk's end.
 */
export function* listRawWrites(
  disk: Layer,
  onProgress?: ((done: number, total: number) => void) | undefined,
): Generator<ImageWrite> {
  for (const { bytes, offset } of listChunks(disk, HOLE_BYTES, onProgress)) {
    const end = Math.min(bytes.length, disk.sizeBytes - offset);
    for (let at = 0; at < end; ) {
      const start = at;
      while (at < end && !isZero(bytes.subarray(at, at + HOLE_BYTES))) at += HOLE_BYTES;
      if (at > start) yield { offset: offset + start, bytes: bytes.subarray(start, Math.min(at, end)) };
      else at += HOLE_BYTES;
    }
  }
}
