import type { XmlNode } from "../xml/node.ts";
import { parseDocument } from "../xml/parse-document.ts";

/**
 * Returns `<metadata>` with the first child of each namespace. An application owns a child, and a child
 * without a namespace has no owner. virXMLNodeSanitizeNamespaces() of libvirt,
 * https://libvirt.org/formatdomain.html#general-metadata
 */
export function sanitizeMetadata(source: string): string {
  const root = parseDocument(new TextEncoder().encode(source));
  const seen = new Set<string | undefined>([undefined]);
  let [kept, from] = ["", 0];
  for (const child of root.children) {
    const [namespace, at] = [namespaceOf(child, root), source.indexOf(child.source, from)];
    const after = at + child.source.length;
    kept += source.slice(from, seen.has(namespace) ? at : after);
    seen.add(namespace);
    from = after;
  }
  return kept + source.slice(from);
}

function namespaceOf(node: XmlNode, around: XmlNode): string | undefined {
  const [prefix = "", local] = node.tag.split(":");
  const attribute = local === undefined ? "xmlns" : `xmlns:${prefix}`;
  const namespace = node.attributes.get(attribute) ?? around.attributes.get(attribute);
  return namespace === "" ? undefined : namespace;
}
