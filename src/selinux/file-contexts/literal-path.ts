/**
 * Plain letters, and what may be escaped and still be one: anything else makes a text an expression.
 * libselinux label_file.h regex_has_meta_chars()
 */
const PLAIN = /^(?:[^\\.^$?*+|[({\])}]|\\[.^$?*+|[({\])}\-_,])*/;
/** What may let the letter before it be missing: `?`, but also what PCRE2 passes over before a quantifier, `\E` and `(?#)`. */
const MAY_BE_NONE = /^(?:[?*{\\]|\(\?)/;

/** The path that a pattern stands for if it is no expression but one path; undefined if it is an expression. */
export function literalPathOf(pattern: string): string | undefined {
  const plain = plainPart(pattern);
  return plain === pattern ? unescaped(plain) : undefined;
}

/** What every path begins with that the pattern matches, provided that it has no alternatives at its top. */
export function fixedPrefixOf(pattern: string): string {
  const plain = plainPart(pattern);
  const prefix = unescaped(plain);
  return MAY_BE_NONE.test(pattern.slice(plain.length)) ? prefix.slice(0, -1) : prefix;
}

/** A plain text without the backslashes before its letters. */
export function unescaped(plain: string): string {
  return plain.includes("\\") ? plain.replace(/\\(.)/g, "$1") : plain;
}

function plainPart(pattern: string): string {
  return PLAIN.exec(pattern)?.[0] ?? "";
}
