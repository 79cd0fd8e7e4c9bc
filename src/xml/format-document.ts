import { SvirtError } from "../errors.ts";
import type { Draft } from "./draft.ts";

/**
 * Returns XML in libvirt's layout: two spaces per level, single quotes, a newline at the end. Throws "usage"
 * for a value outside UTF-8: only a file's name can be such a value. https://libvirt.org/format.html
 */
export function formatDocument(root: Draft): string {
  const lines: string[] = [];
  addLines(root, "", lines);
  return `${lines.join("\n")}\n`;
}

function addLines(draft: Draft, indent: string, lines: string[]): void {
  const head = `${indent}<${draft.tag}${formatAttributes(draft.attributes)}`;
  if (draft.children.length === 0 && draft.isPaired !== true) {
    lines.push(draft.text === undefined ? `${head}/>` : `${head}>${escapeText(draft.text)}</${draft.tag}>`);
    return;
  }
  lines.push(`${head}>`);
  const inner = `${indent}  `;
  for (const child of draft.children) {
    if (typeof child === "string") lines.push(inner + child);
    else addLines(child, inner, lines);
  }
  lines.push(`${indent}</${draft.tag}>`);
}

function formatAttributes(attributes: ReadonlyMap<string, string>): string {
  return [...attributes].map(([name, value]) => ` ${name}='${escapeAttribute(value)}'`).join("");
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ["'", "&apos;"],
  ['"', "&quot;"],
  ["\t", "&#9;"],
  ["\n", "&#10;"],
  ["\r", "&#13;"],
]);

// A reader turns a bare carriage return into a newline. XML 1.0, 2.11
function escapeText(text: string): string {
  return wellFormed(text).replace(/[&<>\r]/g, (character) => ESCAPES.get(character) ?? character);
}

// A reader turns bare white space in an attribute into blanks. XML 1.0, 3.3.3
function escapeAttribute(value: string): string {
  return wellFormed(value).replace(/[&<>'"\t\n\r]/g, (character) => ESCAPES.get(character) ?? character);
}

// An encoder would replace the bytes, which are lone surrogates within svirt. The result would name another
// file.
function wellFormed(value: string): string {
  if (value.isWellFormed()) return value;
  throw new SvirtError(`Cannot write ${value} as XML: it is not UTF-8`, {
    kind: "usage",
    remedy: "Rename the file: XML must be UTF-8.",
  });
}
