/** Words of a text, and the two habits that make a reader stop. */
export interface ProseCounts {
  readonly words: number;
  /** "one", "ones" and "those": the noun is repeated instead. */
  readonly pronouns: number;
  /** "that", "which" and "whose": a participle, a preposition or a second sentence instead. */
  readonly relatives: number;
}

const PRONOUN = /\b(?:one|ones|those)\b/gi;
const RELATIVE = /\b(?:that|which|whose)\b/gi;
const COMMENT = /\/\*\*([\s\S]*?)\*\/|(?:^|\s)\/\/ (.*)$/gm;
const COMMENT_LINE = /^\s*(?:\/\/|\/?\*)/;
const LONGEST_COMMENT_LINE = 110;
/** First line or paragraph of a page that scripts/write-docs.ts writes. */
const GENERATED = /^(?:<!-- Written by|#.*\n\n.*Made by `bun) scripts\/write-docs\.ts/;

export function countProse(text: string): ProseCounts {
  const words = text.split(/\s+/).filter((word) => word !== "").length;
  return { words, pronouns: text.match(PRONOUN)?.length ?? 0, relatives: text.match(RELATIVE)?.length ?? 0 };
}

export function sumCounts(counts: readonly ProseCounts[]): ProseCounts {
  return counts.reduce(
    (sum, { pronouns, relatives, words }) => ({
      words: sum.words + words,
      pronouns: sum.pronouns + pronouns,
      relatives: sum.relatives + relatives,
    }),
    { words: 0, pronouns: 0, relatives: 0 },
  );
}

/** Occurrences in 100 words. */
export function inHundred(occurrences: number, { words }: ProseCounts): number {
  return words === 0 ? 0 : (100 * occurrences) / words;
}

/** Returns the text of a source file's comments. Words in backquotes are names of the program. */
export function commentText(source: string): string {
  return [...source.matchAll(COMMENT)]
    .map(([, block, line = ""]) => (block ?? line).replaceAll(/^\s*\*/gm, ""))
    .join("\n");
}

/**
 * Returns the prose of a page: fenced and indented code, code spans and the targets of links are left out. Of
 * a generated page its tables and lists of values (`one of "yes", "no"`) are left out too.
 */
export function proseOf(markdown: string): string {
  const prose = markdown
    .replaceAll(/^ {0,3}(```+|~~~+)[\s\S]*?^ {0,3}\1 *$/gm, "")
    .replaceAll(/(?<=\n[^\S\n]*\n|^)(?: {4}.*\n?)+/g, "")
    .replaceAll(/(`+)(?:(?!\1)[\s\S])*?\1/g, "x")
    .replaceAll(/\]\([^)\s]*\)/g, "]");
  return isGenerated(markdown) ? prose.replaceAll(/^ *(?:\||- \**`?x).*$/gm, "") : prose;
}

export function isGenerated(markdown: string): boolean {
  return GENERATED.test(markdown);
}

/** Lists the comment lines of a source file over 110 columns as "FILE:LINE: TEXT". */
export function listLongComments(file: string, source: string): string[] {
  return source
    .split("\n")
    .flatMap((line, index) =>
      COMMENT_LINE.test(line) && line.length > LONGEST_COMMENT_LINE
        ? [`${file}:${index + 1}: ${line.trim().slice(0, 80)}`]
        : [],
    );
}
