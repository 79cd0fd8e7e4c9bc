import { decodeDocument } from "../../../src/xml/decode-document.ts";
import { Prefixes } from "../../../src/xml/guard/prefixes.ts";
import { MOST_DEPTH, MOST_ELEMENTS } from "../../../src/xml/limits.ts";
import type { XmlNode } from "../../../src/xml/node.ts";
import { shortened } from "../../../src/xml/refusal.ts";
import { faultAt, readTokens, type Token } from "./tokens.ts";

/**
 * Reads a document like parseDocument(), without guardText() and fast-xml-parser, as the second opinion of
 * the tests. It is svirt's former reader. Throws "xml" with line and column.
 */
export function scanDocument(bytes: Uint8Array): XmlNode {
  const text = decodeDocument(bytes);
  const builder: Builder = {
    text,
    root: undefined,
    open: undefined,
    depth: 0,
    elements: 0,
    line: 1,
    counted: 0,
    prefixes: new Prefixes(),
  };
  for (const token of readTokens(text)) {
    switch (token.is) {
      case "start":
        startElement(builder, token);
        break;
      case "end":
        endElement(builder, token);
        break;
      case "text":
        addText(builder, token);
        break;
    }
  }
  if (builder.open !== undefined)
    throw faultAt(text, text.length, `<${shortened(builder.open.tag, 40)}> has no end tag`);
  if (builder.root === undefined) throw faultAt(text, text.length, "it has no element");
  return builder.root;
}

interface OpenNode extends XmlNode {
  readonly children: OpenNode[];
  readonly parent: OpenNode | undefined;
  readonly from: number;
  text: string;
  source: string;
}

interface Builder {
  readonly text: string;
  root: OpenNode | undefined;
  open: OpenNode | undefined;
  depth: number;
  elements: number;
  /** Line of the offset up to which newlines are counted. */
  line: number;
  counted: number;
  readonly prefixes: Prefixes;
}

function startElement(builder: Builder, token: Token & { readonly is: "start" }): void {
  const { text, open } = builder;
  if (open === undefined && builder.root !== undefined)
    throw faultAt(text, token.from, "a second root element");
  if (builder.elements === MOST_ELEMENTS)
    throw faultAt(text, token.from, `more than ${MOST_ELEMENTS} elements`);
  if (builder.depth === MOST_DEPTH)
    throw faultAt(text, token.from, `elements nested more than ${MOST_DEPTH} deep`);
  const { tag, attributes, from } = token;
  const node = {
    tag,
    attributes,
    children: [],
    text: "",
    line: lineAt(builder, from),
    parent: open,
    source: "",
    from,
  };
  builder.prefixes.open(attributes);
  const fault = builder.prefixes.findFault(tag, attributes);
  if (fault !== undefined) throw faultAt(text, from, fault);
  open?.children.push(node);
  builder.root ??= node;
  builder.elements += 1;
  if (token.closed) {
    closeNode(builder, node, token.to);
    return;
  }
  builder.open = node;
  builder.depth += 1;
}

function endElement(builder: Builder, token: Token & { readonly is: "end" }): void {
  const { text, open } = builder;
  if (open === undefined || open.tag !== token.tag) {
    const wanted = open === undefined ? "no element" : `<${shortened(open.tag, 40)}> of line ${open.line}`;
    throw faultAt(
      text,
      token.from,
      `the end tag </${shortened(token.tag, 40)}> does not match: ${wanted} is open`,
    );
  }
  closeNode(builder, open, token.to);
  builder.open = open.parent;
  builder.depth -= 1;
}

function closeNode(builder: Builder, node: OpenNode, to: number): void {
  node.source = builder.text.slice(node.from, to);
  builder.prefixes.close(node.attributes);
}

function addText(builder: Builder, token: Token & { readonly is: "text" }): void {
  if (builder.open !== undefined) builder.open.text += token.text;
  else {
    const raw = builder.text.slice(token.from, token.to);
    const stray = raw.search(/[^ \t\n]/);
    if (stray !== -1) throw faultAt(builder.text, token.from + stray, "text outside the root element");
  }
}

function lineAt(builder: Builder, offset: number): number {
  let next = builder.text.indexOf("\n", builder.counted);
  while (next !== -1 && next < offset) {
    builder.line += 1;
    builder.counted = next + 1;
    next = builder.text.indexOf("\n", builder.counted);
  }
  return builder.line;
}
