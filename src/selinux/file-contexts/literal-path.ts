/**
 * Plain characters, and characters remaining plain when escaped. Any other makes the text an expression.
 * libselinux label_file.h regex_has_meta_chars()
 */
const PLAIN = /^(?:[^\\.^$?*+|[({\])}]|\\[.^$?*+|[({\])}\-_,])*/;
/** Makes the character before it optional: `?`, or `\E` and `(?#)`, which PCRE2 skips before a quantifier. */
const MAY_BE_NONE = /^(?:[?*{\\]|\(\?)/;

/** Returns the path of a pattern; undefined if the pattern is an expression. */
export function literalPathOf(pattern: string): string | undefined {
  const plain = plainPart(pattern);
  return plain === pattern ? unescaped(plain) : undefined;
}

/**
 * Returns the common prefix of all paths matched by a pattern. The pattern has no alternatives at its top.
 */
export function fixedPrefixOf(pattern: string): string {
  const plain = plainPart(pattern);
  const prefix = unescaped(plain);
  return MAY_BE_NONE.test(pattern.slice(plain.length)) ? prefix.slice(0, -1) : prefix;
}

/** Removes the backslashes before the characters of a plain text. */
export function unescaped(plain: string): string {
  return plain.includes("\\") ? plain.replace(/\\(.)/g, "$1") : plain;
}

function plainPart(pattern: string): string {
  return PLAIN.exec(pattern)?.[0] ?? "";
}
