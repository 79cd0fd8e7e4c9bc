import { XMLParser } from "fast-xml-parser";

/** An element of domain XML as another reader than svirt's own sees it. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
});

type Item = Readonly<Record<string, unknown>>;

/** The document's one element. */
export function readXml(text: string): Element {
  const [root] = (parser.parse(text) as readonly Item[]).filter((item) => !("#text" in item));
  return toElement(root ?? {});
}

function toElement(item: Item): Element {
  const [name = ""] = Object.keys(item).filter((key) => key !== ":@");
  const inside = item[name] as readonly Item[];
  return {
    name,
    attributes: (item[":@"] ?? {}) as Readonly<Record<string, string>>,
    text: inside.map((child) => String(child["#text"] ?? "")).join(""),
    children: inside.filter((child) => !("#text" in child)).map(toElement),
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
