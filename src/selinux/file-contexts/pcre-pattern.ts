import { controlLetter, escapeLetter, letterSet, translateClass } from "./pcre-class.ts";
import { patternRefusal } from "./pcre-refusal.ts";

/** Largest number in a quantifier. pcre2pattern(3) */
const MOST_REPEATS = 65_535;
const QUANTIFIER = /(?:[*+?]|\{(\d+)(?:,(\d*))?\})\??/y;
/** A quantifier in some versions of PCRE2 and text in others. */
const UNSURE_BRACES = /\{[ \d,]*\}/y;

/** Piece of a pattern in JavaScript's syntax. */
interface Piece {
  readonly source: string;
  readonly end: number;
  /** Whether a quantifier may follow. */
  readonly repeats: boolean;
}

/**
 * Compiles a pattern of file_contexts as libselinux runs it: `^PATTERN$` in PCRE2 over bytes. A dot is any
 * byte, and `$` also matches before a newline at the end. The expression expects paths with a byte in each
 * UTF-16 unit. Throws "unsupported" for syntax unknown to JavaScript or read differently: look-around,
 * possessive quantifiers, back references, options.
 */
export function compilePattern(pattern: string): RegExp {
  // Without a group: an alternative at the top binds only a single end, as in libselinux compile_regex().
  const anchored = `^${pattern}$`;
  const source = translate(anchored);
  try {
    return new RegExp(source, "s");
  } catch (error) {
    throw patternRefusal(anchored, "an unfinished or superfluous part", error);
  }
}

/**
 * Reports whether an alternative is outside all groups: the pattern's prefix then binds only the first. Also
 * true for a pattern too complex to decide.
 */
export function hasTopAlternative(pattern: string): boolean {
  if (!pattern.includes("|")) return false;
  let left = pattern.replace(/\\./g, "").replace(/\[\^?\]?[^\]]*\]/g, "");
  for (let before = ""; before !== left; ) [before, left] = [left, left.replace(/\([^()]*\)/g, "")];
  return left.includes("|");
}

function translate(pattern: string): string {
  let [source, at, canRepeat] = ["", 0, false];
  while (at < pattern.length) {
    const quantifier = matchAt(QUANTIFIER, pattern, at);
    if (quantifier === undefined) {
      const piece = translatePiece(pattern, at);
      [source, at, canRepeat] = [source + piece.source, piece.end, piece.repeats];
      continue;
    }
    refuseQuantifier(quantifier, { canRepeat, next: pattern.charAt(at + quantifier[0].length), pattern });
    [source, at, canRepeat] = [source + quantifier[0], at + quantifier[0].length, false];
  }
  return source;
}

function translatePiece(pattern: string, at: number): Piece {
  const letter = pattern.charAt(at);
  const end = at + 1;
  switch (letter) {
    case "\\":
      return translateEscape(pattern, at);
    case "[":
      return { ...translateClass(pattern, at), repeats: true };
    case "(":
      return translateGroup(pattern, at);
    case ")":
    case ".":
      return { source: letter, end, repeats: true };
    case "|":
    case "^":
      return { source: letter, end, repeats: false };
    case "$":
      return { source: "(?=\\n?$)", end, repeats: false };
    case "{":
      if (matchAt(UNSURE_BRACES, pattern, at) !== undefined)
        throw patternRefusal(pattern, "braces without a number");
      return { source: "\\{", end, repeats: true };
    default:
      return { source: escapeLetter(letter), end, repeats: true };
  }
}

function translateEscape(pattern: string, at: number): Piece {
  const name = pattern.charAt(at + 1);
  const end = at + 2;
  if (name === "b" || name === "B") return { source: `\\${name}`, end, repeats: false };
  const set = letterSet(name);
  if (set !== undefined) return { source: `[${set}]`, end, repeats: true };
  const letter = controlLetter(name) ?? name;
  if (/[0-9A-Za-z]/.test(letter)) throw patternRefusal(pattern, `\\${name}`);
  return { source: escapeLetter(letter), end, repeats: true };
}

/** Translates the start of a group, always as non-capturing. */
function translateGroup(pattern: string, at: number): Piece {
  const mark = pattern.charAt(at + 1);
  const isPlain = pattern.startsWith("(?:", at);
  if (!isPlain && (mark === "?" || mark === "*")) throw patternRefusal(pattern, `"(${mark}"`);
  return { source: "(?:", end: at + (isPlain ? 3 : 1), repeats: false };
}

function refuseQuantifier(
  [quantifier, least, most]: RegExpExecArray,
  {
    canRepeat,
    next,
    pattern,
  }: { readonly canRepeat: boolean; readonly next: string; readonly pattern: string },
): void {
  if (!canRepeat) throw patternRefusal(pattern, `${quantifier} after what cannot be repeated`);
  if (next === "+") throw patternRefusal(pattern, `the possessive quantifier ${quantifier}+`);
  if (Math.max(Number(least ?? 0), Number(most ?? 0)) > MOST_REPEATS)
    throw patternRefusal(pattern, `the number in ${quantifier}`);
}

function matchAt(expression: RegExp, text: string, at: number): RegExpExecArray | undefined {
  expression.lastIndex = at;
  return expression.exec(text) ?? undefined;
}
