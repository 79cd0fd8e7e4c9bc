import { isBlank, type XmlNode } from "../node.ts";
import type { Selected } from "./select.ts";

const INDENT = "  ";

/** Formats one node as libxml2 does: an element with its content, an attribute after a blank, or text. xmlNodeDump() */
export function formatSelected(node: Selected): string {
  switch (node.is) {
    case "element":
      return formatElement(node.element, "");
    case "attribute":
      return formatAttribute(node.name, node.element.attributes.get(node.name) ?? "");
    case "text":
      return escapeText(node.element.text);
  }
}

/** Formats nodes inside of one `<nodes>`. */
export function formatWrapped(nodes: readonly Selected[]): string {
  const attributes = new Map<string, string>();
  for (const node of nodes) {
    if (node.is !== "attribute") continue;
    // The last one of a name stays, in the last place.
    attributes.delete(node.name);
    attributes.set(node.name, node.element.attributes.get(node.name) ?? "");
  }
  const children = nodes.flatMap((node) => (node.is === "element" ? [node.element] : []));
  const text = nodes.flatMap((node) => (node.is === "text" ? [node.element.text] : [])).join("");
  return formatParts({ tag: "nodes", attributes, children, text }, "");
}

type Parts = Pick<XmlNode, "tag" | "attributes" | "children" | "text">;

/** An element with text beside its children is shown as it is in the document. */
function formatElement(element: XmlNode, indent: string): string {
  const isMixed = element.children.length > 0 && !isBlank(element.text);
  return isMixed ? element.source : formatParts(element, indent);
}

function formatParts({ attributes, children, tag, text }: Parts, indent: string): string {
  const head = `<${tag}${[...attributes].map(([name, value]) => formatAttribute(name, value)).join("")}`;
  const isText = !isBlank(text);
  if (children.length === 0) return isText ? `${head}>${escapeText(text)}</${tag}>` : `${head}/>`;
  const inner = `${indent}${INDENT}`;
  if (isText)
    return `${head}>${escapeText(text)}${children.map((child) => formatElement(child, "")).join("")}</${tag}>`;
  const lines = children.map((child) => `${inner}${formatElement(child, inner)}\n`);
  return `${head}>\n${lines.join("")}${indent}</${tag}>`;
}

function formatAttribute(name: string, value: string): string {
  return ` ${name}="${escapeText(value).replace(/["\n\t]/g, (letter) => ESCAPES.get(letter) ?? letter)}"`;
}

function escapeText(text: string): string {
  return text.replace(/[&<>\r]/g, (letter) => ESCAPES.get(letter) ?? letter);
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ["\r", "&#13;"],
  ['"', "&quot;"],
  ["\n", "&#10;"],
  ["\t", "&#9;"],
]);
