/** Returns the folder of an absolute path, by its text; empty for a file in the root. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
