import { zstdFrame } from "../../../images/conversion/zstd-frame.ts";
import type { Compression } from "../../../images/qcow2-features.ts";

/**
 * Returns the beginning of a compressed cluster's data; undefined if it is broken or longer. Accepts a stream
 * of deflate ending behind the last necessary byte, as QEMU does. qcow2_zlib_decompress() of qemu.git
 */
export function decompress(
  compression: Compression,
  bytes: Uint8Array,
  length: number,
): Uint8Array | undefined {
  // Loads the streams of node, longer than a small command takes.
  const {
    constants: zlib,
    inflateRawSync,
    zstdDecompressSync,
  }: typeof import("node:zlib") = require("node:zlib");
  try {
    if (compression === "zlib")
      return inflateRawSync(bytes, { maxOutputLength: length, finishFlush: zlib.Z_SYNC_FLUSH });
    const frame = zstdFrame(bytes);
    return frame && zstdDecompressSync(frame, { maxOutputLength: length });
  } catch {
    return undefined;
  }
}
