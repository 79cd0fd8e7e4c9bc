import { folderOf } from "../plan/folder-of.ts";

/** Path of a file while it is being written: in the same folder, so that a rename suffices. */
export function partPath(path: string, uuid: string): string {
  return `${folderOf(path)}/.svirt-${uuid}.part`;
}

/**
 * As partPath(), for the memory of a snapshot: it stays until QEMU has switched the disks, and no other file
 * may take its place.
 */
export function memoryPartPath(path: string, uuid: string): string {
  return `${folderOf(path)}/.svirt-${uuid}.memory`;
}
