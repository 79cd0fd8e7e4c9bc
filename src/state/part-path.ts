import { folderOf } from "../plan/folder-of.ts";

/** The name that a file has while it is being written: in the same folder, so that it need only be renamed. */
export function partPath(path: string, uuid: string): string {
  return `${folderOf(path)}/.svirt-${uuid}.part`;
}
