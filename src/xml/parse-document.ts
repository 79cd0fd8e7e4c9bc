import { REPORT_FAULT, SvirtError } from "../errors.ts";
import { decodeDocument } from "./decode-document.ts";
import type { Piece } from "./fast-xml.ts";
import { guardText, type Span } from "./guard/guard-text.ts";
import type { XmlNode } from "./node.ts";
import { resolveReferences, resolveValue } from "./references.ts";
import { shortened } from "./refusal.ts";

/**
 * Returns the root element of a document. Its bytes must be well-formed XML 1.0 in UTF-8, with namespaces,
 * without a DOCTYPE and within limits.ts. The first fault ends the reading. Throws "xml" with line and
 * column.
 */
export function parseDocument(bytes: Uint8Array): XmlNode {
  const text = decodeDocument(bytes);
  const spans = guardText(text);
  // Loads fast-xml-parser with the first document, since many commands import this file and read no XML.
  const { readPieces }: typeof import("./fast-xml.ts") = require("./fast-xml.ts");
  return buildTree(text, spans, readPieces(text));
}

/**
 * Builds the tree from the pieces of fast-xml-parser. Throws "failed" unless its elements match the guard's
 * by name, place and number of attributes.
 */
export function buildTree(text: string, spans: readonly Span[], pieces: readonly Piece[]): XmlNode {
  const builder: Builder = { text, spans, built: 0, line: 1, newline: text.indexOf("\n") };
  const elements = pieces.filter((piece) => piece.is === "element");
  // A second root has no element of the guard to compare with.
  const [root] = elements.map((element) => buildNode(builder, element, undefined));
  if (root === undefined || builder.built < spans.length) throw readOtherwise(spans[builder.built]);
  return root;
}

type Element = Extract<Piece, { readonly is: "element" }>;

interface Builder {
  readonly text: string;
  readonly spans: readonly Span[];
  /** Number of built elements. */
  built: number;
  /** Current line, which ends with the newline at the offset `newline`; -1 in the last line. */
  line: number;
  newline: number;
}

interface OpenNode extends XmlNode {
  readonly children: XmlNode[];
  text: string;
}

function buildNode(builder: Builder, element: Element, parent: XmlNode | undefined): XmlNode {
  const { tag, attributes, content, from, to } = element;
  const span = builder.spans[builder.built];
  if (span === undefined || !isSame(span, element)) throw readOtherwise(span);
  builder.built += 1;
  const node: OpenNode = {
    tag,
    attributes: new Map(attributes.map(([name, raw]) => [name, resolved(resolveValue(raw), span)])),
    children: [],
    text: "",
    line: lineAt(builder, from),
    parent,
    source: builder.text.slice(from, to),
  };
  for (const piece of content) {
    if (piece.is === "element") node.children.push(buildNode(builder, piece, node));
    else node.text += piece.is === "cdata" ? piece.raw : resolved(resolveReferences(piece.raw), span);
  }
  return node;
}

function isSame(span: Span, { tag, attributes, from, to }: Element): boolean {
  return span.tag === tag && span.attributes === attributes.length && span.from === from && span.to === to;
}

function resolved(text: string | { readonly badAt: number }, span: Span): string {
  if (typeof text === "string") return text;
  throw readOtherwise(span);
}

function readOtherwise(span: Span | undefined): SvirtError {
  const where = span === undefined ? "" : ` at <${shortened(span.tag, 40)}>, character ${span.from + 1}`;
  return new SvirtError(`Cannot read the XML: svirt's check and its XML parser disagree${where}`, {
    kind: "failed",
    remedy: REPORT_FAULT,
  });
}

function lineAt(builder: Builder, offset: number): number {
  while (builder.newline !== -1 && builder.newline < offset) {
    builder.line += 1;
    builder.newline = builder.text.indexOf("\n", builder.newline + 1);
  }
  return builder.line;
}
