import type { XmlNode } from "../../src/xml/node.ts";

/** Namespace of each prefix. The key of elements without a prefix is "". */
type Namespaces = ReadonlyMap<string, string>;

const AROUND: Namespaces = new Map([
  ["", ""],
  ["xml", "http://www.w3.org/XML/1998/namespace"],
]);

/**
 * Formats an element in canonical form, with the texts of each element before its children.
 * https://www.w3.org/TR/xml-c14n
 */
export function canonical(node: XmlNode, around = AROUND): string {
  const declared = [...node.attributes].filter(([name]) => isDeclaration(name));
  const namespaces = new Map([
    ...around,
    ...declared.map(([name, uri]) => [prefixDeclared(name), uri] as const),
  ]);
  const written = declared
    .filter(([name, uri]) => around.get(prefixDeclared(name)) !== uri)
    .toSorted(([a], [b]) => compare(a, b));
  const others = [...node.attributes]
    .filter(([name]) => !isDeclaration(name))
    .toSorted(([a], [b]) => compare(sortKey(a, namespaces), sortKey(b, namespaces)));
  const head = [...written, ...others].map(([name, value]) => ` ${name}="${escapedValue(value)}"`).join("");
  const inside = node.children.map((child) => canonical(child, namespaces)).join("");
  return `<${node.tag}${head}>${escapedText(node.text)}${inside}</${node.tag}>`;
}

/** Matches a tag in canonical form, which has no "<" in values and only double quotes around them. */
const TAG = /<\/?[^\s>]+(?: [^\s=]+="[^"]*")*>/g;

/**
 * Moves the texts of a document in canonical form, without comments and instructions, as canonical() does.
 */
export function withTextsFirst(document: string): string {
  const open = [{ head: "", text: "", inside: "" }];
  let at = 0;
  for (const { 0: tag, index } of document.matchAll(TAG)) {
    const innermost = open.at(-1);
    if (innermost !== undefined) innermost.text += document.slice(at, index);
    at = index + tag.length;
    if (!tag.startsWith("</")) open.push({ head: tag, text: "", inside: "" });
    else {
      const { head = "", text = "", inside = "" } = open.pop() ?? {};
      const around = open.at(-1);
      if (around !== undefined) around.inside += head + text + inside + tag;
    }
  }
  return open.map(({ head, inside }) => head + inside).join("");
}

function isDeclaration(name: string): boolean {
  return name === "xmlns" || name.startsWith("xmlns:");
}

function prefixDeclared(name: string): string {
  return name.slice("xmlns:".length);
}

/** Returns the sort key of an attribute: its namespace, then its name. */
function sortKey(name: string, namespaces: Namespaces): string {
  const [prefix = "", local] = name.split(":");
  return local === undefined ? `\0${name}` : `${namespaces.get(prefix)}\0${local}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function escapedText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#xD;");
}

function escapedValue(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\t", "&#x9;")
    .replaceAll("\n", "&#xA;")
    .replaceAll("\r", "&#xD;");
}
