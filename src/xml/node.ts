/** An element as it stands in a document. Comments and processing instructions are gone, references are resolved. */
export interface XmlNode {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** The text directly inside, without that of children. */
  readonly text: string;
  /** 1 is the first line. */
  readonly line: number;
  readonly parent: XmlNode | undefined;
  /** The element's own piece of the document, from its `<` to its last `>`. */
  readonly source: string;
}

/** The most characters of a name in a path. */
const MOST_SHOWN = 64;

/** Whether there is nothing but what XML calls white space; trim() takes more for that. XML 1.0, 2.3 */
export function isBlank(text: string): boolean {
  return !/[^ \t\n\r]/.test(text);
}

/** `/domain/devices/disk[2]/source`; the number, from 1, stands only where there are several of that name. */
export function pathOf(node: XmlNode): string {
  const tag = node.tag.slice(0, MOST_SHOWN);
  if (node.parent === undefined) return `/${tag}`;
  const alike = node.parent.children.filter((sibling) => sibling.tag === node.tag);
  const number = alike.length > 1 ? `[${alike.indexOf(node) + 1}]` : "";
  return `${pathOf(node.parent)}/${tag}${number}`;
}
