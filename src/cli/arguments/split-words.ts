import { SvirtError } from "../../errors.ts";

/**
 * Characters that a shell interprets outside of quotes, and in double quotes. POSIX.1-2024, Shell Command
 * Language, 2.2
 */
const SPECIAL = /[|&;<>()$`\\\r\n]/;
const SPECIAL_IN_DOUBLE_QUOTES = /[$`\\]/;
/** Next piece of a line: blanks, or a part of an argument. A quote that is not closed does not match. */
const PIECE = /(?<blanks>[ \t]+)|'(?<single>[^']*)'|"(?<double>[^"]*)"|(?<plain>[^ \t'"]+)/y;

/**
 * Splits a line into arguments, as a POSIX shell splits at blanks and quotes. Refuses all other characters
 * that a shell would interpret. Throws "usage".
 */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  const piece = new RegExp(PIECE);
  while (piece.lastIndex < line.length) {
    const at = piece.lastIndex;
    const found = piece.exec(line)?.groups;
    if (found === undefined) throw notSplit(`the quote ${line.charAt(at)} has no end`, "Close it.");
    if (found["blanks"] === undefined) {
      word = (word ?? "") + textOf(found);
    } else {
      if (word !== undefined) words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}

function textOf({ double, plain, single }: Readonly<Record<string, string | undefined>>): string {
  if (single !== undefined) return single;
  const [special] =
    (double === undefined ? SPECIAL.exec(plain ?? "") : SPECIAL_IN_DOUBLE_QUOTES.exec(double)) ?? [];
  if (special !== undefined) {
    throw notSplit(
      `svirt runs no shell, and ${JSON.stringify(special)} is a shell's special character`,
      "Put the character in single quotes.",
    );
  }
  return double ?? plain ?? "";
}

function notSplit(why: string, remedy: string): SvirtError {
  return new SvirtError(`Cannot split the command into words: ${why}`, { kind: "usage", remedy });
}
