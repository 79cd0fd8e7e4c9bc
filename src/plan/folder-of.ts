/** The folder that a whole path is in, by its words: empty for what lies in the root. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
