import { SvirtError } from "../errors.ts";
import { guardText } from "../xml/guard/guard-text.ts";
import { parseDocument } from "../xml/parse-document.ts";
import { resolveValue } from "../xml/references.ts";

/**
 * Element of an application: its namespace, and the prefix and XML without a namespace with which it is set.
 */
export interface ApplicationElement {
  readonly uri: string;
  /** Undefined if the element is removed. */
  readonly set?: { readonly key: string; readonly xml: string } | undefined;
}

/**
 * Returns the element of a namespace in `<metadata>`, without that namespace; undefined if there is none.
 * virXMLExtractNamespaceXML() of libvirt
 */
export function elementOf(metadata: string, uri: string): string | undefined {
  const elements = listElements(metadata);
  const [root] = elements;
  const found = elements.find(({ namespace, parent }) => parent === root && namespace === uri);
  if (found === undefined) return undefined;
  const inside = elements.filter(({ from, to }) => from >= found.from && to <= found.to);
  const used = new Set(inside.flatMap((one) => prefixesOf(one, uri)));
  const edits: Edit[] = inside
    .filter(({ namespace, prefix }) => namespace === uri && prefix !== undefined)
    .flatMap((one) => tagEdits(metadata, one, { remove: `${one.prefix}:`.length }));
  for (const { from, name, to, value } of found.attributes)
    if (value === uri && isDeclaration(name) && !used.has(name.slice("xmlns:".length)))
      edits.push({ at: from, remove: to - from });
  const outer = (root?.attributes ?? []).filter(
    ({ name, value }) =>
      used.has(name.slice("xmlns:".length)) &&
      value !== uri &&
      !found.attributes.some((own) => own.name === name),
  );
  const declared = outer.map(({ from, to }) => metadata.slice(from, to)).join("");
  edits.push({ at: found.from + 1 + found.tag.length, insert: declared });
  return edited(metadata, edits, found);
}

/**
 * Returns `<metadata>` with another element of a namespace, or without it; undefined if no element is left.
 * Throws "xml" for an element with broken XML, "usage" for an invalid namespace or prefix.
 * virDomainDefSetMetadata() of libvirt
 */
export function replaceElement(
  metadata: string | undefined,
  { set, uri }: ApplicationElement,
): string | undefined {
  const others = metadata === undefined ? undefined : without(metadata, uri);
  if (set === undefined) return others !== undefined && listElements(others).length > 1 ? others : undefined;
  const changed = appended(others ?? "<metadata/>", addNamespace(set, uri));
  // The result is read again, since the namespace, the prefix and the XML come from a client.
  const [root, ...inner] = listElements(parseDocument(new TextEncoder().encode(changed)).source);
  if (inner.filter(({ namespace, parent }) => parent === root && namespace === uri).length === 1)
    return changed;
  throw refused(
    "the XML has a namespace of its own, or the URI is none",
    "Give an element without a prefix.",
  );
}

interface Attribute {
  readonly name: string;
  readonly value: string;
  /** Place in the source, with the blank before it. */
  readonly from: number;
  readonly to: number;
}

/** An element in a source, with the element around it. */
interface SourceElement {
  readonly tag: string;
  /** Undefined for a tag without a prefix. */
  readonly prefix: string | undefined;
  readonly namespace: string | undefined;
  readonly attributes: readonly Attribute[];
  readonly parent: SourceElement | undefined;
  readonly from: number;
  readonly to: number;
}

/** Lists the elements of a source in the order of their start tags. */
function listElements(source: string): readonly SourceElement[] {
  const elements: SourceElement[] = [];
  let parent: SourceElement | undefined;
  for (const { from, tag, to } of guardText(source)) {
    while (parent !== undefined && parent.to <= from) ({ parent } = parent);
    const attributes = listAttributes(source, from + 1 + tag.length);
    const prefix = tag.includes(":") ? tag.split(":")[0] : undefined;
    const bare = { tag, prefix, attributes, parent, from, to };
    const element = { ...bare, namespace: namespaceOf(bare, prefix) };
    elements.push(element);
    parent = element;
  }
  return elements;
}

const ATTRIBUTE = /[ \t\n]+([^\s=]+)[ \t\n]*=[ \t\n]*(?:"([^"]*)"|'([^']*)')/y;

function listAttributes(source: string, at: number): readonly Attribute[] {
  const attributes: Attribute[] = [];
  ATTRIBUTE.lastIndex = at;
  for (let from = at; ; from = ATTRIBUTE.lastIndex) {
    const [, name, double, single] = ATTRIBUTE.exec(source) ?? [];
    if (name === undefined) return attributes;
    const value = resolveValue(double ?? single ?? "");
    attributes.push({ name, value: typeof value === "string" ? value : "", from, to: ATTRIBUTE.lastIndex });
  }
}

function namespaceOf(
  element: Pick<SourceElement, "attributes" | "parent">,
  prefix: string | undefined,
): string | undefined {
  const name = prefix === undefined ? "xmlns" : `xmlns:${prefix}`;
  const found = element.attributes.find((attribute) => attribute.name === name)?.value;
  if (found !== undefined) return found === "" ? undefined : found;
  return element.parent === undefined ? undefined : namespaceOf(element.parent, prefix);
}

function isDeclaration(name: string): boolean {
  return name === "xmlns" || name.startsWith("xmlns:");
}

/** Lists an element's necessary prefixes besides the prefix of its own tag. */
function prefixesOf({ attributes, namespace, prefix }: SourceElement, uri: string): readonly string[] {
  const names = attributes.filter(({ name }) => !isDeclaration(name)).map(({ name }) => name);
  const own = namespace === uri || prefix === undefined ? [] : [prefix];
  return [...own, ...names.flatMap((name) => (name.includes(":") ? name.split(":").slice(0, 1) : []))];
}

/** A change of a source: some letters are removed at an offset, and a text is inserted there. */
interface Edit {
  readonly at: number;
  readonly remove?: number;
  readonly insert?: string;
}

/** Returns a change at the beginning of an element's name, in its start tag and its end tag. */
function tagEdits(source: string, { from, to }: SourceElement, edit: Omit<Edit, "at">): readonly Edit[] {
  const start = { at: from + 1, ...edit };
  return source.startsWith("/>", to - 2)
    ? [start]
    : [start, { at: source.lastIndexOf("</", to - 1) + 2, ...edit }];
}

/** Returns a part of a source after its changes. A place may have an insertion and a removal. */
function edited(
  source: string,
  edits: readonly Edit[],
  { from, to }: { readonly from: number; readonly to: number },
): string {
  let [text, at] = ["", from];
  for (const edit of edits.toSorted((one, other) => one.at - other.at)) {
    text += source.slice(at, edit.at) + (edit.insert ?? "");
    at = Math.max(at, edit.at + (edit.remove ?? 0));
  }
  return text + source.slice(at, to);
}

/** Removes the elements of a namespace with the blanks before them. */
function without(metadata: string, uri: string): string {
  const elements = listElements(metadata);
  const edits = elements
    .filter(({ namespace, parent }) => parent === elements[0] && namespace === uri)
    .map(({ from, to }) => {
      const at = beforeBlanks(metadata, from);
      return { at, remove: to - at };
    });
  return edited(metadata, edits, { from: 0, to: metadata.length });
}

function appended(metadata: string, element: string): string {
  const head = metadata.endsWith("/>")
    ? `${metadata.slice(0, -2)}>`
    : metadata.slice(0, beforeBlanks(metadata, metadata.lastIndexOf("</")));
  return `${head}\n    ${element}\n  </metadata>`;
}

/** Returns the offset of the blanks before an offset. */
function beforeBlanks(text: string, offset: number): number {
  let at = offset;
  while (/^[ \t\n]$/.test(text[at - 1] ?? "")) at -= 1;
  return at;
}

// Namespaces in XML 1.0, 4: a name without a colon. Names that begin with "xml" are reserved.
const KEY = /^(?!xml)[\p{L}_][\p{L}\p{N}_.-]*$/iu;

/** Puts elements without a namespace into the given namespace. virXMLInjectNamespace() of libvirt */
function addNamespace({ key, xml }: { readonly key: string; readonly xml: string }, uri: string): string {
  if (!KEY.test(key))
    throw refused("failed to validate prefix for a new XML namespace", "Give a name: --key app");
  const { source } = parseDocument(new TextEncoder().encode(xml));
  const elements = listElements(source);
  if (elements.some(({ attributes }) => attributes.some(({ name }) => name === `xmlns:${key}`)))
    throw refused("failed to create a new XML namespace", "Give another prefix: the XML declares this one.");
  const edits: Edit[] = elements
    .filter(({ namespace }) => namespace === undefined)
    .flatMap((one) => tagEdits(source, one, { insert: `${key}:` }));
  const [root] = elements;
  const last = root?.attributes.findLast(({ name }) => isDeclaration(name));
  const at = last?.to ?? 1 + (root?.tag.length ?? 0);
  return edited(source, [...edits, { at, insert: ` xmlns:${key}="${escaped(uri)}"` }], {
    from: 0,
    to: source.length,
  });
}

function escaped(uri: string): string {
  return uri.replace(/[&<"\t\n\r]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function refused(why: string, remedy: string): SvirtError {
  return new SvirtError(`internal error: ${why}`, {
    kind: "usage",
    libvirt: "INTERNAL_ERROR",
    from: "XML",
    remedy,
  });
}
