import { patternRefusal } from "./pcre-refusal.ts";

/** Classes of PCRE2 in the C locale, with ASCII's letters. pcre2pattern(3) */
const POSIX_CLASSES: ReadonlyMap<string, string> = new Map([
  ["alnum", "0-9A-Za-z"],
  ["alpha", "A-Za-z"],
  ["ascii", "\\x00-\\x7f"],
  ["blank", "\\t "],
  ["cntrl", "\\x00-\\x1f\\x7f"],
  ["digit", "0-9"],
  ["graph", "\\x21-\\x7e"],
  ["lower", "a-z"],
  ["print", "\\x20-\\x7e"],
  ["punct", "!-\\/:-@\\[-`{-~"],
  ["space", "\\t-\\r "],
  ["upper", "A-Z"],
  ["word", "0-9A-Z_a-z"],
  ["xdigit", "0-9A-Fa-f"],
]);

/** Escapes for several characters: they cannot end a range. JavaScript's `\s` includes more blanks. */
const SETS: ReadonlyMap<string, string> = new Map([
  ["d", "\\d"],
  ["D", "\\D"],
  ["w", "\\w"],
  ["W", "\\W"],
  ["s", "\\t-\\r "],
  ["S", "\\x00-\\x08\\x0e-\\x1f!-\\xff"],
]);

const CONTROLS: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["e", "\x1b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** `[:alpha:]` by itself: an error in PCRE2, a class of its characters in JavaScript. */
const OUTSIDE = /^\[([:.=])(?:\\[\]\\]|[^\]])*\1\]/;

/** Class or part of it in JavaScript's syntax, and the position after it in the pattern. */
export interface TranslatedClass {
  readonly source: string;
  readonly end: number;
}

type Item = { readonly set: string } | { readonly letter: string };

/**
 * Translates a `[...]` from the offset `start`. Throws "unsupported" where PCRE2 and JavaScript may differ.
 */
export function translateClass(pattern: string, start: number): TranslatedClass {
  if (OUTSIDE.test(pattern.slice(start))) throw patternRefusal(pattern, "a named class outside of a class");
  const opening = pattern.charAt(start + 1) === "^" ? "[^" : "[";
  const first = start + opening.length;
  let [source, at] = [opening, first];
  // PCRE treats a bracket in the first place as a character; JavaScript treats it as the end.
  while (at === first || pattern.charAt(at) !== "]") {
    const member = translateMember(pattern, at);
    [source, at] = [source + member.source, member.end];
  }
  return { source: `${source}]`, end: at + 1 };
}

/** Escapes a plain character, inside a class or outside. */
export function escapeLetter(letter: string): string {
  return /[0-9A-Za-z/_ ]/.test(letter) ? letter : `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** Returns the control character of an escape such as `\n`. */
export function controlLetter(name: string): string | undefined {
  return CONTROLS.get(name);
}

/** Returns the set of an escape such as `\d`, as the inside of a class. */
export function letterSet(name: string): string | undefined {
  return SETS.get(name);
}

/** Translates a character, a set or a range. A dash before the end of the class is a character. */
function translateMember(pattern: string, at: number): TranslatedClass {
  const from = readItem(pattern, at);
  const isRange = pattern.charAt(from.end) === "-" && pattern.charAt(from.end + 1) !== "]";
  if (!isRange) {
    return { source: "set" in from.item ? from.item.set : escapeLetter(from.item.letter), end: from.end };
  }
  const to = readItem(pattern, from.end + 1);
  if ("set" in from.item || "set" in to.item) throw patternRefusal(pattern, "a range from or to a class");
  const [low, high] = [from.item.letter, to.item.letter];
  if (low > high) throw patternRefusal(pattern, "a range from its end to its beginning");
  return { source: `${escapeLetter(low)}-${escapeLetter(high)}`, end: to.end };
}

function readItem(pattern: string, at: number): { readonly item: Item; readonly end: number } {
  const letter = pattern.charAt(at);
  if (letter === "") throw patternRefusal(pattern, "a class without end");
  if (letter === "[" && /[:.=]/.test(pattern.charAt(at + 1))) return readPosixClass(pattern, at);
  if (letter !== "\\") return { item: { letter }, end: at + 1 };
  const name = pattern.charAt(at + 1);
  const set = letterSet(name);
  if (set !== undefined) return { item: { set }, end: at + 2 };
  const control = controlLetter(name);
  if (control !== undefined) return { item: { letter: control }, end: at + 2 };
  if (name === "" || /[0-9A-Za-z]/.test(name)) throw patternRefusal(pattern, `\\${name} in a class`);
  return { item: { letter: name }, end: at + 2 };
}

function readPosixClass(pattern: string, at: number): { readonly item: Item; readonly end: number } {
  const match = /^\[:([a-z]+):\]/.exec(pattern.slice(at));
  const set = POSIX_CLASSES.get(match?.[1] ?? "");
  if (match === null || set === undefined)
    throw patternRefusal(pattern, `"${pattern.slice(at, at + 2)}" in a class`);
  return { item: { set }, end: at + match[0].length };
}
