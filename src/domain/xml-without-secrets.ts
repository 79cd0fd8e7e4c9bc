import type { Draft } from "../xml/draft.ts";
import { formatDocument } from "../xml/format-document.ts";
import type { XmlNode } from "../xml/node.ts";
import { parseDocument } from "../xml/parse-document.ts";

// Rule: Passwords in stored XML are shown only on demand.

/** Attributes of `<graphics>` that exist with a password only. */
const OF_PASSWORD: readonly string[] = ["passwd", "passwdValidTo", "connected"];

/**
 * Returns a domain's XML without the passwords of displays and the cookies of network disks; unchanged if it
 * has none. libvirt shows these only with VIR_DOMAIN_XML_SECURE. Text beside elements in one element, which
 * libvirt does not write, is left out. Throws "xml" for a text that is not well-formed.
 */
export function withoutSecrets(xml: string): string {
  const root = parseDocument(new TextEncoder().encode(xml));
  return hasSecret(root) ? formatDocument(draftOf(root)) : xml;
}

function hasSecret(node: XmlNode): boolean {
  return isSecret(node) || isProtected(node) || node.children.some(hasSecret);
}

function isSecret({ tag }: XmlNode): boolean {
  return tag === "cookies";
}

function isProtected({ attributes, tag }: XmlNode): boolean {
  return tag === "graphics" && OF_PASSWORD.some((name) => attributes.has(name));
}

function draftOf(node: XmlNode): Draft {
  const { attributes, tag, text } = node;
  const kept = [...attributes].filter(([name]) => !(isProtected(node) && OF_PASSWORD.includes(name)));
  const children = node.children.filter((child) => !isSecret(child)).map(draftOf);
  return {
    tag,
    attributes: new Map(kept),
    children,
    text: node.children.length > 0 || text === "" ? undefined : text,
  };
}
