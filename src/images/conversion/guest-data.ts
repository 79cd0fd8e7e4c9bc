import type { ImageBytes, ImageWrite } from "../image-writes.ts";
import type { Compression } from "../qcow2-features.ts";

/** Part of a file, in bytes. */
interface DataExtent {
  readonly start: number;
  readonly end: number;
}

/** Open file, read by a conversion. */
export interface SourceFile extends ImageBytes {
  /** Returns the first part that has data at or behind a place; undefined if only a hole follows. */
  nextData(from: number): DataExtent | undefined;
  /** Returns this number of decompressed bytes; undefined if the data is broken. */
  decompress(compression: Compression, bytes: Uint8Array, length: number): Uint8Array | undefined;
}

/** Beginning of a part of a disk, of a single kind. */
export type Piece =
  | { readonly is: "zero" | "below"; readonly bytes: number }
  | { readonly is: "data"; readonly bytes: number; readInto(target: Uint8Array): void };

/** Image with guest data to read: a file, or a file with the files below it. */
export interface Layer {
  /** Size visible to the guest. */
  readonly sizeBytes: number;
  /**
   * Returns the piece at a place, of at most `mostBytes`. The caller asks only for bytes within the size.
   * Throws "failed" for broken tables.
   */
  pieceAt(offset: number, mostBytes: number): Piece;
}

/** Largest part that is read at once. It is a multiple of every cluster. */
const CHUNK_BYTES = 2 * 1024 * 1024;

/**
 * Returns an image and the images below it as a single image, without pieces of the kind "below". A shorter
 * image below ends with zeros.
 */
export function stackLayers(layers: readonly Layer[]): Layer {
  const pieceIn = (index: number, offset: number, mostBytes: number): Piece => {
    const layer = layers[index];
    if (layer === undefined || offset >= layer.sizeBytes) return { is: "zero", bytes: mostBytes };
    const piece = layer.pieceAt(offset, Math.min(mostBytes, layer.sizeBytes - offset));
    return piece.is === "below" ? pieceIn(index + 1, offset, piece.bytes) : piece;
  };
  return {
    sizeBytes: layers[0]?.sizeBytes ?? 0,
    pieceAt: (offset, mostBytes) => pieceIn(0, offset, mostBytes),
  };
}

/**
 * Yields the parts of a disk not known to be zeros, in order: each begins at a multiple of `unitBytes`, and
 * has zeros up to the next multiple behind the disk's end.
 */
export function* listChunks(
  disk: Layer,
  unitBytes: number,
  onProgress?: ((done: number, total: number) => void) | undefined,
): Generator<ImageWrite> {
  const { sizeBytes } = disk;
  for (let offset = 0; offset < sizeBytes; ) {
    onProgress?.(offset, sizeBytes);
    const first = disk.pieceAt(offset, sizeBytes - offset);
    const end = offset + first.bytes;
    const whole = end >= sizeBytes ? end : end - (end % unitBytes);
    if (first.is === "zero" && whole > offset) {
      offset = whole;
      continue;
    }
    const chunkEnd = Math.min(sizeBytes, (Math.floor(offset / CHUNK_BYTES) + 1) * CHUNK_BYTES);
    yield { offset, bytes: readChunk(disk, { start: offset, end: chunkEnd }, unitBytes) };
    offset = chunkEnd;
  }
}

function readChunk(disk: Layer, { end, start }: DataExtent, unitBytes: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((end - start) / unitBytes) * unitBytes);
  for (let at = start; at < end; ) {
    const piece = disk.pieceAt(at, end - at);
    if (piece.is === "data") piece.readInto(bytes.subarray(at - start, at - start + piece.bytes));
    at += piece.bytes;
  }
  return bytes;
}

/**
 * Decides whether all bytes are zero. Their number is a multiple of 4, and so is their place in the buffer.
 */
export function isZero(bytes: Uint8Array): boolean {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / Uint32Array.BYTES_PER_ELEMENT);
  for (let at = 0; at < words.length; at += 1) if (words[at] !== 0) return false;
  return true;
}
