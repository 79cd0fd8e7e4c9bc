/**
 * Returns the name, in the same folder, of a file that svirt is still writing. An existing file of this name is overwritten,
 * so only svirt may use it. A folder of images may well hold a `disk` and a `disk.new`.
 */
export function partialPath(path: string): string {
  const cut = path.lastIndexOf("/") + 1;
  return `${path.slice(0, cut)}.svirt-${path.slice(cut)}.new`;
}
