import type { FileId } from "./file.ts";

/** Placeholder in a plan for the identity of a file that the start creates. */
export const PENDING_FILE: Pick<FileId, "device" | "inode"> = { device: "0:0", inode: "0" };

/**
 * Returns the key of a file, independent of its path: a device node has its device's number, any other file
 * its inode.
 */
export function fileKey(id: FileId): string {
  return id.node === undefined ? `inode-${id.device}-${id.inode}` : `device-${id.node}`;
}
