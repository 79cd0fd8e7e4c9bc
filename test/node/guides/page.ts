/** Document of a guide: a block below a line that names it, such as "`lab.xml`:". */
export interface PageFile {
  readonly name: string;
  readonly text: string;
}

const NAMED = /`([\w-]+\.xml)`[^\n]*:\n\n((?: {4}.*\n)+)/g;

/** Lists the documents that a guide shows. */
export function listFiles(page: string): readonly PageFile[] {
  return [...page.matchAll(NAMED)].map(([, name = "", block = ""]) => ({
    name,
    text: block.replace(/^ {4}/gm, ""),
  }));
}
