import { folderOf } from "../plan/folder-of.ts";

/** Path of a file while it is being written: in the same folder, so that a rename suffices. */
export function partPath(path: string, uuid: string): string {
  return `${folderOf(path)}/.svirt-${uuid}.part`;
}
