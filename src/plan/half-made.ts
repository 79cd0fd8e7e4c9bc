/**
 * What a file is called as long as svirt makes it, beside the place that it is to have: it is written over there, so
 * nobody else's must be called so. A folder of images may well hold a `disk` and a `disk.new`.
 */
export function halfMade(path: string): string {
  const cut = path.lastIndexOf("/") + 1;
  return `${path.slice(0, cut)}.svirt-${path.slice(cut)}.new`;
}
