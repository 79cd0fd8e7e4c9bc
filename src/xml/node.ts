import { numbered } from "./numbered.ts";

/** Element of a document. Comments and processing instructions are removed, references are resolved. */
export interface XmlNode {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** Text directly inside, without the text of children. */
  readonly text: string;
  /** Line of the start tag, from 1. */
  readonly line: number;
  readonly parent: XmlNode | undefined;
  /** The element's source in the document, from its `<` to its last `>`. */
  readonly source: string;
}

/** Maximum characters of a name in a path. */
const MOST_SHOWN = 64;

/** Whether the text is only white space by XML; trim() removes more. XML 1.0, 2.3 */
export function isBlank(text: string): boolean {
  return !/[^ \t\n\r]/.test(text);
}

/**
 * Returns a path such as `/domain/devices/disk[2]/source`; only siblings with the same name have a number,
 * from 1.
 */
export function pathOf(node: XmlNode): string {
  const tag = node.tag.slice(0, MOST_SHOWN);
  if (node.parent === undefined) return `/${tag}`;
  const alike = node.parent.children.filter((sibling) => sibling.tag === node.tag);
  return `${pathOf(node.parent)}/${numbered(tag, alike, alike.indexOf(node))}`;
}
