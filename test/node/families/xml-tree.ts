import type { XmlNode } from "../../../src/xml/node.ts";
import { scanDocument } from "../../xml/scanner/scan-document.ts";

/** Element of domain XML, as parsed by a reader other than svirt's. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

/** Returns the root element of a document. */
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

/** Returns all elements at a path of names below an element. */
export function allAt(element: Element, ...path: readonly string[]): readonly Element[] {
  const [name, ...rest] = path;
  if (name === undefined) return [element];
  return element.children.filter((child) => child.name === name).flatMap((child) => allAt(child, ...rest));
}

/** Returns an attribute of the first element at a path; an empty string if there is none. */
export function attributeAt(element: Element, path: readonly string[], name: string): string {
  return allAt(element, ...path)[0]?.attributes[name] ?? "";
}
