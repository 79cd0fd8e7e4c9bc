// Rule: A file that svirt still writes has a name of its own.

/**
 * Returns the name, in the same folder, of a file that svirt is still writing. An existing file of this name
 * is overwritten, so only svirt may use it. A folder of images may well hold a `disk` and a `disk.new`.
 */
export function partialPath(path: string): string {
  const cut = path.lastIndexOf("/") + 1;
  return `${path.slice(0, cut)}.svirt-${path.slice(cut)}.new`;
}

/**
 * Returns the name of a text until it is complete. An existing file of this name is overwritten, so only
 * svirt writes to such folders.
 */
export function stagedPath(path: string): string {
  return `${path}.new`;
}

/**
 * Name of a volume in the making. It differs from any other part's, since other calls create in the same
 * folder.
 */
export function partialVolume(uuid: string): string {
  return `.svirt-${uuid}.volume`;
}

/** Decides whether a name comes from partialVolume(). */
export function isPartialVolume(name: string): boolean {
  return /^[.]svirt-[0-9a-f-]{36}[.]volume$/.test(name);
}
