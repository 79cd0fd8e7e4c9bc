import type { SvirtError } from "../errors.ts";
import type { XmlNode } from "./node.ts";

/** Step of a path: an element's name and its number from 1. */
const STEP = /^(.*?)(?:\[(\d+)\])?$/;

/** Returns each error once, in the order of the places in the document; errors without a place come last. */
export function inDocumentOrder(errors: readonly SvirtError[], root: XmlNode): readonly SvirtError[] {
  const once = [...new Map(errors.map((error) => [error.message, error])).values()];
  if (once.length < 2) return once;
  const extents = new Map<XmlNode, Extent>();
  measure(root, extents);
  return once
    .map((error) => ({ error, at: positionOf(error.place, root, extents) }))
    .sort((one, other) => one.at - other.at)
    .map(({ error }) => error);
}

/** Returns the path in the document for a path in a value without some list items. */
export function locate(place: string, root: XmlNode, leftOut: ReadonlySet<XmlNode>): string {
  if (leftOut.size === 0) return place;
  const [, first = "", ...steps] = place.split("/");
  let [path, node]: [string, XmlNode | undefined] = [`/${first}`, root];
  for (const step of steps) {
    const [, tag = "", index] = STEP.exec(step) ?? [];
    const alike: XmlNode[] = node?.children.filter((child) => child.tag === tag) ?? [];
    const next: XmlNode | undefined = alike.filter((child) => !leftOut.has(child))[Number(index ?? 1) - 1];
    path += index === undefined || next === undefined ? `/${step}` : `/${tag}[${alike.indexOf(next) + 1}]`;
    node = next;
  }
  return path;
}

/** Numbers, in the order of the document, of an element and of the last element inside it. */
interface Extent {
  readonly first: number;
  readonly last: number;
}

function measure(node: XmlNode, extents: Map<XmlNode, Extent>): void {
  const first = extents.size;
  extents.set(node, { first, last: first });
  for (const child of node.children) measure(child, extents);
  extents.set(node, { first, last: extents.size - 1 });
}

/**
 * Returns the position of a place. An attribute precedes the first child; a missing part is at the end of its
 * parent's tag or content.
 */
function positionOf(place: string | undefined, root: XmlNode, extents: ReadonlyMap<XmlNode, Extent>): number {
  if (place === undefined) return extents.size;
  let node = root;
  for (const step of place.split("/").slice(2)) {
    if (step.startsWith("@")) return (extents.get(node)?.first ?? 0) + attributePosition(node, step.slice(1));
    if (step === "text()") break;
    const next = childAt(node, step);
    if (next === undefined) return (extents.get(node)?.last ?? 0) + 0.9;
    node = next;
  }
  return extents.get(node)?.first ?? 0;
}

/** Returns a position between 0 and 0.5. */
function attributePosition({ attributes }: XmlNode, name: string): number {
  const at = [...attributes.keys()].indexOf(name);
  return at === -1 ? 0.5 : (at + 1) / (2 * attributes.size + 3);
}

function childAt(node: XmlNode, step: string): XmlNode | undefined {
  const [, tag, index = "1"] = STEP.exec(step) ?? [];
  return node.children.filter((child) => child.tag === tag)[Number(index) - 1];
}
