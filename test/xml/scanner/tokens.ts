import { MOST_ATTRIBUTES } from "../../../src/xml/limits.ts";
import { positionAt } from "../../../src/xml/position.ts";
import { resolveReferences } from "../../../src/xml/references.ts";
import { notXml, quoted, shortened } from "../../../src/xml/refusal.ts";

/** Piece of a document, from one offset up to another. Comments and processing instructions are none. */
export type Token = { readonly from: number; readonly to: number } & (
  | {
      readonly is: "start";
      readonly tag: string;
      readonly attributes: ReadonlyMap<string, string>;
      readonly closed: boolean;
    }
  | { readonly is: "end"; readonly tag: string }
  | { readonly is: "text"; readonly text: string }
);

/** Yields the pieces of a document in order, each checked against XML 1.0's grammar. Throws "xml". */
export function* readTokens(text: string): Generator<Token, void> {
  let at = skipDeclaration(text);
  while (at < text.length) {
    const passed = skipUnread(text, at);
    if (passed !== undefined) {
      at = passed;
      continue;
    }
    const token = readToken(text, at);
    yield token;
    at = token.to;
  }
}

/** Returns the error for a fault at an offset of the text. */
export function faultAt(text: string, offset: number, problem: string): Error {
  return notXml(positionAt(text, offset), problem);
}

// XML 1.0, 2.3
const NAME_START = [
  ":A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c-\\u200d",
  "\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}",
].join("");
const NAME = new RegExp(`[${NAME_START}][-.0-9\\u00b7\\u0300-\\u036f\\u203f-\\u2040${NAME_START}]*`, "uy");
const BLANKS = /[ \t\n]*/y;
const DECLARATION = new RegExp(
  [
    "<\\?xml_+version_*=_*([\"'])1\\.0\\1",
    "(?:_+encoding_*=_*([\"'])([^\"'<>]*)\\2)?",
    "(?:_+standalone_*=_*([\"'])(?:yes|no)\\4)?_*\\?>",
  ]
    .join("")
    .replaceAll("_", "[ \\t\\n]"),
  "y",
);

function skipDeclaration(text: string): number {
  if (!/^<\?xml[ \t\n?]/.test(text)) return 0;
  const found = matchAt(text, 0, DECLARATION);
  if (found === undefined)
    throw faultAt(text, 0, 'the XML declaration is not <?xml version="1.0" encoding="UTF-8"?>');
  const [, , , encoding = "UTF-8"] = found;
  if (encoding.toUpperCase() === "UTF-8") return found[0].length;
  throw faultAt(text, 0, `its encoding is declared as ${quoted(encoding)}, and only UTF-8 is supported`);
}

/** Returns the end of a comment or processing instruction that begins here, or undefined. Throws "xml". */
function skipUnread(text: string, at: number): number | undefined {
  if (text.startsWith("<!--", at)) {
    const end = text.indexOf("--", at + 4);
    if (end !== -1 && text[end + 2] === ">") return end + 3;
    throw faultAt(text, end === -1 ? at : end, 'the comment contains "--", or has no end');
  }
  return text.startsWith("<?", at) ? skipInstruction(text, at) : undefined;
}

function skipInstruction(text: string, at: number): number {
  const target = readName(text, at + 2);
  if (target.toLowerCase() === "xml")
    throw faultAt(text, at, "an XML declaration is allowed only at the very beginning");
  if (target.includes(":")) throw faultAt(text, at, "the name of a processing instruction has a colon");
  const after = at + 2 + target.length;
  if (target !== "" && !/^(?:[ \t\n]|\?>)/.test(text.slice(after, after + 2)))
    throw faultAt(text, after, "the name of a processing instruction must be followed by a blank");
  const end = text.indexOf("?>", after);
  if (target !== "" && end !== -1) return end + 2;
  throw faultAt(text, at, "the processing instruction has no name or no end");
}

function readToken(text: string, at: number): Token {
  if (text.startsWith("<![CDATA[", at)) {
    const end = text.indexOf("]]>", at + 9);
    if (end === -1) throw faultAt(text, at, "the CDATA section has no end");
    return { is: "text", text: text.slice(at + 9, end), from: at, to: end + 3 };
  }
  if (text.startsWith("<!", at))
    throw faultAt(text, at, "a DOCTYPE or another <!…> declaration is not supported");
  if (text.startsWith("</", at)) return readEndTag(text, at);
  return text[at] === "<" ? readStartTag(text, at) : readText(text, at);
}

function readText(text: string, from: number): Token {
  const next = text.indexOf("<", from);
  const to = next === -1 ? text.length : next;
  const raw = text.slice(from, to);
  const end = raw.indexOf("]]>");
  if (end !== -1) throw faultAt(text, from + end, '"]]>" is allowed only at the end of a CDATA section');
  return { is: "text", text: resolve(text, from, raw), from, to };
}

function readEndTag(text: string, from: number): Token {
  const tag = readName(text, from + 2);
  const end = skipBlanks(text, from + 2 + tag.length);
  if (tag === "" || text[end] !== ">") throw faultAt(text, from, "the end tag is not </name>");
  return { is: "end", tag, from, to: end + 1 };
}

function readStartTag(text: string, from: number): Token {
  const tag = readName(text, from + 1);
  if (tag === "") throw faultAt(text, from, 'a name must follow "<"; write a "<" in a text as &lt;');
  const attributes = new Map<string, string>();
  let at = from + 1 + tag.length;
  for (;;) {
    const next = skipBlanks(text, at);
    if (text[next] === ">") return { is: "start", tag, attributes, closed: false, from, to: next + 1 };
    if (text.startsWith("/>", next))
      return { is: "start", tag, attributes, closed: true, from, to: next + 2 };
    if (next === at)
      throw faultAt(text, at, `the tag of <${shortened(tag, 40)}> lacks a blank, or has no end`);
    if (next === text.length) throw faultAt(text, next, `the tag of <${shortened(tag, 40)}> has no end`);
    if (attributes.size === MOST_ATTRIBUTES)
      throw faultAt(text, next, `more than ${MOST_ATTRIBUTES} attributes`);
    at = readAttribute(text, next, attributes);
  }
}

function readAttribute(text: string, from: number, attributes: Map<string, string>): number {
  const name = readName(text, from);
  const equals = skipBlanks(text, from + name.length);
  const open = skipBlanks(text, equals + 1);
  const quote = text[open];
  if (name === "" || text[equals] !== "=" || (quote !== '"' && quote !== "'")) {
    throw faultAt(text, from, "an attribute must have the form name='value'");
  }
  const end = text.indexOf(quote, open + 1);
  if (end === -1) throw faultAt(text, open, `the value of ${shortened(name, 40)} has no closing quote`);
  const raw = text.slice(open + 1, end);
  const less = raw.indexOf("<");
  if (less !== -1) throw faultAt(text, open + 1 + less, 'write a "<" in a value as &lt;');
  if (attributes.has(name)) throw faultAt(text, from, `the attribute ${shortened(name, 40)} occurs twice`);
  // Bare white space in a value becomes a blank. A reference to white space keeps it. XML 1.0, 3.3.3
  attributes.set(name, resolve(text, open + 1, raw.replaceAll(/[\t\n]/g, " ")));
  return end + 1;
}

function resolve(text: string, from: number, raw: string): string {
  const resolved = resolveReferences(raw);
  if (typeof resolved === "string") return resolved;
  throw faultAt(
    text,
    from + resolved.badAt,
    'this "&" does not begin a reference; write a plain "&" as &amp;',
  );
}

function readName(text: string, at: number): string {
  return matchAt(text, at, NAME)?.[0] ?? "";
}

function skipBlanks(text: string, at: number): number {
  return at + (matchAt(text, at, BLANKS)?.[0].length ?? 0);
}

function matchAt(text: string, at: number, sticky: RegExp): RegExpExecArray | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text) ?? undefined;
}
