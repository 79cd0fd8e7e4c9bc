/** Returns the folder of an absolute path, by its text; empty for a file in the root. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Returns all folders above an absolute path, by its text, from its own folder up to the root. */
export function listFoldersAbove(path: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = folderOf(path); folder !== ""; folder = folderOf(folder)) folders.push(folder);
  return [...folders, "/"];
}

/** Decides by the text whether an absolute path is a folder other than the root, or below it. */
export function isWithin(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder}/`);
}
