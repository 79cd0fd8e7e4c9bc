/** Returns the name of one of several elements in a path, `range[2]`; a single one has no number. */
export function numbered(tag: string, all: readonly unknown[], at: number): string {
  return all.length > 1 ? `${tag}[${at + 1}]` : tag;
}
