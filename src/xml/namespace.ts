import type { XmlNode } from "./node.ts";

/**
 * Returns the tree with one prefix for the root's children in the namespace and for their content. `ns0:arg`
 * and `<arg xmlns='…'>` both become `qemu:arg`. The declarations of the namespace and of the prefix are
 * removed. Namespaces in XML 1.0,
 * 6.1
 */
export function addPrefix(root: XmlNode, namespace: string, prefix: string): XmlNode {
  const name = { namespace, prefix };
  const isNamed = (node: XmlNode): boolean => namespaceOf(node) === namespace || hasPrefix(node, prefix);
  if (!root.children.some(isNamed) && !declares(root, name)) return root;
  const renamed: MutableNode = { ...root, attributes: besides(root, name), children: [] };
  renamed.children = root.children.map((child) => (isNamed(child) ? rename(child, renamed, name) : child));
  return renamed;
}

type MutableNode = { -readonly [K in keyof XmlNode]: XmlNode[K] };

interface Name {
  readonly namespace: string;
  readonly prefix: string;
}

function rename(node: XmlNode, parent: XmlNode, name: Name): XmlNode {
  const tag = tagFor(node, name);
  const renamed: MutableNode = {
    ...node,
    tag,
    parent,
    attributes: besides(node, name),
    children: [],
  };
  renamed.children = node.children.map((child) => rename(child, renamed, name));
  return renamed;
}

/**
 * Returns the element's new tag. A tag with the prefix but another namespace becomes `{namespace}name`,
 * declared by no form.
 */
function tagFor(node: XmlNode, { namespace, prefix }: Name): string {
  const own = namespaceOf(node);
  if (own === namespace) return `${prefix}:${localName(node)}`;
  return hasPrefix(node, prefix) ? `{${own ?? ""}}${localName(node)}` : node.tag;
}

function hasPrefix({ tag }: XmlNode, prefix: string): boolean {
  return tag.startsWith(`${prefix}:`);
}

function namespaceOf(node: XmlNode): string | undefined {
  const [prefix = "", local] = node.tag.split(":");
  const attribute = local === undefined ? "xmlns" : `xmlns:${prefix}`;
  for (let around: XmlNode | undefined = node; around !== undefined; around = around.parent) {
    const found = around.attributes.get(attribute);
    if (found !== undefined) return found;
  }
  return undefined;
}

function localName({ tag }: XmlNode): string {
  return tag.split(":").at(-1) ?? tag;
}

function isDeclaration(attribute: string): boolean {
  return attribute === "xmlns" || attribute.startsWith("xmlns:");
}

/** Whether the element binds the namespace or the prefix. */
function declares({ attributes }: XmlNode, name: Name): boolean {
  return [...attributes].some((attribute) => isOurs(attribute, name));
}

function besides({ attributes }: XmlNode, name: Name): ReadonlyMap<string, string> {
  return new Map([...attributes].filter((attribute) => !isOurs(attribute, name)));
}

function isOurs([attribute, value]: readonly [string, string], { namespace, prefix }: Name): boolean {
  return attribute === `xmlns:${prefix}` || (isDeclaration(attribute) && value === namespace);
}
