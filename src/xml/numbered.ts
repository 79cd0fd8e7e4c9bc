/** Returns the name of an element among several in a path, `range[2]`; a single element has no number. */
export function numbered(tag: string, all: readonly unknown[], at: number): string {
  return all.length > 1 ? `${tag}[${at + 1}]` : tag;
}
