import { MOST_ATTRIBUTES } from "../limits.ts";
import { faultAt } from "../position.ts";
import { resolveValue } from "../references.ts";
import { shortened } from "../refusal.ts";
import { BLANK, checkName, matchAt, NAME } from "./names.ts";

/** Start tag or empty element's tag, from an offset of the text up to another. */
export interface StartTag {
  readonly tag: string;
  /** Attributes with normalized values. XML 1.0, 3.3.3 */
  readonly attributes: ReadonlyMap<string, string>;
  readonly isEmptyElement: boolean;
  readonly from: number;
  readonly to: number;
}

const HEAD = new RegExp(`<(${NAME})`, "uy");
const ATTRIBUTE = new RegExp(`(${BLANK}+)(${NAME})${BLANK}*=${BLANK}*(?:"([^<"]*)"|'([^<']*)')`, "uy");
const END = new RegExp(`${BLANK}*(/?)>`, "y");
const BLANKS = new RegExp(`${BLANK}*`, "y");

/** Reads the tag with its "<" at an offset. XML 1.0, 3.1. Throws "xml". */
export function checkStartTag(text: string, from: number): StartTag {
  const [head = "", tag = ""] = matchAt(text, from, HEAD) ?? [];
  if (tag === "") throw faultAt(text, from, 'a name must follow "<"; write a "<" in a text as &lt;');
  checkName(text, from + 1, tag);
  const attributes = new Map<string, string>();
  let at = from + head.length;
  for (;;) {
    const end = matchAt(text, at, END);
    if (end !== undefined) {
      const [all, slash] = end;
      return { tag, attributes, isEmptyElement: slash === "/", from, to: at + all.length };
    }
    const found = attributes.size < MOST_ATTRIBUTES ? matchAt(text, at, ATTRIBUTE) : undefined;
    if (found === undefined) throw faultOfAttribute(text, at, { tag, attributes });
    at = addAttribute(text, found, attributes);
  }
}

/** Adds a matched attribute. Returns the offset after it. */
function addAttribute(text: string, found: RegExpExecArray, attributes: Map<string, string>): number {
  const [all, blanks = "", name = "", inDouble, inSingle = ""] = found;
  const nameAt = found.index + blanks.length;
  checkName(text, nameAt, name);
  if (attributes.has(name)) throw faultAt(text, nameAt, `the attribute ${shortened(name, 40)} occurs twice`);
  const to = found.index + all.length;
  const raw = inDouble ?? inSingle;
  attributes.set(name, checkReferences(text, to - 1 - raw.length, resolveValue(raw)));
  return to;
}

/** Returns the resolved text. Throws "xml" for an "&" without a reference; `at` is the offset of the text. */
export function checkReferences(
  text: string,
  at: number,
  resolved: string | { readonly badAt: number },
): string {
  if (typeof resolved === "string") return resolved;
  throw faultAt(text, at + resolved.badAt, 'this "&" does not begin a reference; write a plain "&" as &amp;');
}

/** Returns the fault of a tag at an offset where no attribute and no end of the tag begins. */
function faultOfAttribute(
  text: string,
  at: number,
  { tag, attributes }: Pick<StartTag, "tag" | "attributes">,
) {
  const next = skipBlanks(text, at);
  const named = `the tag of <${shortened(tag, 40)}>`;
  if (next === at) return faultAt(text, at, `${named} lacks a blank, or has no end`);
  if (next === text.length) return faultAt(text, next, `${named} has no end`);
  if (attributes.size === MOST_ATTRIBUTES)
    return faultAt(text, next, `more than ${MOST_ATTRIBUTES} attributes`);
  return faultOfValue(text, next);
}

function faultOfValue(text: string, from: number): Error {
  const [name = ""] = matchAt(text, from, new RegExp(NAME, "uy")) ?? [];
  const equals = skipBlanks(text, from + name.length);
  const open = skipBlanks(text, equals + 1);
  const quote = text[open];
  if (name === "" || text[equals] !== "=" || (quote !== '"' && quote !== "'"))
    return faultAt(text, from, "an attribute must have the form name='value'");
  const end = text.indexOf(quote, open + 1);
  if (end === -1) return faultAt(text, open, `the value of ${shortened(name, 40)} has no closing quote`);
  return faultAt(text, text.indexOf("<", open), 'write a "<" in a value as &lt;');
}

function skipBlanks(text: string, at: number): number {
  return at + (matchAt(text, at, BLANKS)?.[0].length ?? 0);
}
