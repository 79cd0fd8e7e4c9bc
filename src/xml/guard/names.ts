import { faultAt } from "../position.ts";

// XML 1.0, 2.3
const NAME_START = [
  ":A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c-\\u200d",
  "\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}",
].join("");

/** Source of a regular expression for a name. It needs the flag u. XML 1.0, 2.3 */
export const NAME = `[${NAME_START}][-.0-9\\u00b7\\u0300-\\u036f\\u203f-\\u2040${NAME_START}]*`;

/**
 * Source of a regular expression for a blank; decodeDocument() has replaced carriage returns. XML 1.0, 2.3
 * and 2.11
 */
export const BLANK = "[ \\t\\n]";

/**
 * Letters of names in XML 1.0, treated as blanks by JavaScript's `\s` and trim(). fast-xml-parser ends a name
 * at them.
 */
const BLANK_TO_JAVASCRIPT = /[\u1680\ufeff]/;

/** Refuses a name cut by fast-xml-parser. `at` is its offset in the text. Throws "xml". */
export function checkName(text: string, at: number, name: string): void {
  const cut = name.search(BLANK_TO_JAVASCRIPT);
  if (cut === -1) return;
  const code = name.charCodeAt(cut).toString(16).toUpperCase();
  throw faultAt(text, at + cut, `the character U+${code} is not supported in a name`);
}

/** Returns the match of a regular expression with the flag y at an offset. */
export function matchAt(text: string, at: number, sticky: RegExp): RegExpExecArray | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text) ?? undefined;
}
