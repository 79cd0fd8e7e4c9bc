import type { XmlNode } from "../../../src/xml/node.ts";
import { scanDocument } from "../../xml/scanner/scan-document.ts";

/** An element of domain XML as another reader than svirt's own sees it. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

/** The document's one element. */
export function readXml(text: string): Element {
  return toElement(scanDocument(new TextEncoder().encode(text)));
}

function toElement({ tag, attributes, text, children }: XmlNode): Element {
  return {
    name: tag,
    attributes: Object.fromEntries(attributes),
    text: text.trim(),
    children: children.map(toElement),
  };
}

/** All elements at a path of names below it. */
export function allAt(element: Element, ...path: readonly string[]): readonly Element[] {
  const [name, ...rest] = path;
  if (name === undefined) return [element];
  return element.children.filter((child) => child.name === name).flatMap((child) => allAt(child, ...rest));
}

/** An attribute of the first element at a path; the empty string where there is none. */
export function attributeAt(element: Element, path: readonly string[], name: string): string {
  return allAt(element, ...path)[0]?.attributes[name] ?? "";
}
