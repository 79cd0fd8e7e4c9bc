import { MOST_DEPTH, MOST_ELEMENTS } from "../limits.ts";
import { faultAt, positionAt } from "../position.ts";
import { resolveReferences } from "../references.ts";
import { shortened } from "../refusal.ts";
import { BLANK, matchAt, NAME } from "./names.ts";
import { passComment, passDeclaration, passInstruction } from "./other-markup.ts";
import { Prefixes } from "./prefixes.ts";
import { passCdata } from "./refuse-doctype.ts";
import { checkReferences, checkStartTag, type StartTag } from "./start-tag.ts";

// Rule: Text that the parser would read differently is refused.

/** Element of the text, from its "<" up to the offset after its last ">". */
export interface Span {
  readonly tag: string;
  /** Number of attributes. */
  readonly attributes: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Checks a text before fast-xml-parser reads it. The text must be well-formed XML 1.0 with namespaces,
 * without a DOCTYPE, and within limits.ts. Text read differently by fast-xml-parser is refused (checkName,
 * passInstruction). Returns the elements in the order of their start tags. Throws "xml" for the first fault,
 * with line and column.
 */
export function guardText(text: string): readonly Span[] {
  const guard: Guard = { text, open: [], spans: [], prefixes: new Prefixes() };
  let at = passDeclaration(text);
  while (at < text.length) at = passPiece(guard, at);
  const unclosed = guard.open.at(-1);
  if (unclosed !== undefined)
    throw faultAt(text, text.length, `<${shortened(unclosed.tag, 40)}> has no end tag`);
  if (guard.spans.length === 0) throw faultAt(text, text.length, "it has no element");
  return guard.spans;
}

interface Guard {
  readonly text: string;
  /** Start tags of the open elements, the innermost last. */
  readonly open: (StartTag & { readonly span: OpenSpan })[];
  readonly spans: OpenSpan[];
  readonly prefixes: Prefixes;
}

type OpenSpan = { -readonly [K in keyof Span]: Span[K] };

const END_TAG = new RegExp(`</(${NAME})${BLANK}*>`, "uy");

/** Checks the piece at an offset. Returns the offset after it. */
function passPiece(guard: Guard, at: number): number {
  const { text } = guard;
  if (text[at] !== "<") return passText(guard, at);
  switch (text[at + 1]) {
    case "!":
      if (text.startsWith("<!--", at)) return passComment(text, at);
      return passInside(guard, at, passCdata(text, at));
    case "?":
      return passInstruction(text, at);
    case "/":
      return passEndTag(guard, at);
    default:
      return passStartTag(guard, checkStartTag(text, at));
  }
}

function passText(guard: Guard, from: number): number {
  const { text } = guard;
  const next = text.indexOf("<", from);
  const to = next === -1 ? text.length : next;
  const raw = text.slice(from, to);
  const end = raw.indexOf("]]>");
  if (end !== -1) throw faultAt(text, from + end, '"]]>" is allowed only at the end of a CDATA section');
  checkReferences(text, from, resolveReferences(raw));
  return passInside(guard, from, to);
}

/** Refuses text other than blanks outside the root element. XML 1.0, 2.1 */
function passInside({ text, open }: Guard, from: number, to: number): number {
  const stray = open.length > 0 ? -1 : text.slice(from, to).search(/[^ \t\n]/);
  if (stray === -1) return to;
  throw faultAt(text, from + stray, "text outside the root element");
}

function passStartTag({ text, open, spans, prefixes }: Guard, found: StartTag): number {
  const { tag, attributes, from, to } = found;
  if (open.length === 0 && spans.length > 0) throw faultAt(text, from, "a second root element");
  if (spans.length === MOST_ELEMENTS) throw faultAt(text, from, `more than ${MOST_ELEMENTS} elements`);
  if (open.length === MOST_DEPTH) throw faultAt(text, from, `elements nested more than ${MOST_DEPTH} deep`);
  prefixes.open(attributes);
  const fault = prefixes.findFault(tag, attributes);
  if (fault !== undefined) throw faultAt(text, from, fault);
  const span: OpenSpan = { tag, attributes: attributes.size, from, to };
  spans.push(span);
  if (found.isEmptyElement) prefixes.close(attributes);
  else open.push({ ...found, span });
  return to;
}

function passEndTag({ text, open, prefixes }: Guard, from: number): number {
  const [all = "", tag = ""] = matchAt(text, from, END_TAG) ?? [];
  if (tag === "") throw faultAt(text, from, "the end tag is not </name>");
  const started = open.pop();
  if (started?.tag !== tag) throw faultAt(text, from, faultOfEndTag(text, tag, started));
  prefixes.close(started.attributes);
  started.span.to = from + all.length;
  return started.span.to;
}

function faultOfEndTag(text: string, tag: string, started: StartTag | undefined): string {
  const wanted =
    started === undefined
      ? "no element"
      : `<${shortened(started.tag, 40)}> of line ${positionAt(text, started.from).line}`;
  return `the end tag </${shortened(tag, 40)}> does not match: ${wanted} is open`;
}
