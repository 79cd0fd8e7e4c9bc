import { writeSync } from "node:fs";
import type { ImageWrite } from "../../../images/image-writes.ts";

/**
 * Writes all bytes at their place in an open file: on a full disk write(2) writes a part of them. Throws
 * errors of node:fs.
 */
export function writePart(fd: number, { bytes, offset }: ImageWrite): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
}
