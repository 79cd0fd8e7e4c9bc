/**
 * Minimum characters of a text that is cut out. fast-xml-parser appends a text character by character, and
 * each addition takes about 30 bytes until the text is used.
 */
const LONG = 1024;

/** Document without its long texts. Each is replaced with a mark, whose NUL no document has. */
export interface Shortened {
  readonly text: string;
  /** Long texts by their marks. */
  readonly long: ReadonlyMap<string, string>;
  /** Returns the offset in the whole document of an offset outside of the long texts. */
  wholeOffset(offset: number): number;
}

/** Cuts the long texts between the tags, comments and sections of a document that guardText() accepts. */
export function shortenTexts(text: string): Shortened {
  const long = new Map<string, string>();
  const cuts: { readonly at: number; readonly removed: number }[] = [];
  let [kept, removed, from] = ["", 0, 0];
  for (const [start, end] of listTexts(text)) {
    if (end - start < LONG) continue;
    const mark = `\0${long.size}\0`;
    long.set(mark, text.slice(start, end));
    kept += text.slice(from, start) + mark;
    from = end;
    removed += end - start - mark.length;
    cuts.push({ at: from - removed, removed });
  }
  const wholeOffset = (offset: number): number =>
    offset + (cuts.findLast(({ at }) => at <= offset)?.removed ?? 0);
  return { text: kept + text.slice(from), long, wholeOffset };
}

/** Returns a text of the parser's with its long texts again. */
export function lengthen(raw: string, { long }: Shortened): string {
  return long.size === 0 ? raw : raw.replace(/\0\d+\0/g, (mark) => long.get(mark) ?? mark);
}

/** Yields the place of each text between markup, and of the text in each CDATA section. */
function* listTexts(text: string): Generator<readonly [start: number, end: number]> {
  for (let at = 0; at < text.length; ) {
    if (text[at] === "<") {
      const end = endOfMarkup(text, at);
      if (text.startsWith(CDATA, at)) yield [at + CDATA.length, end - "]]>".length];
      at = end;
    } else {
      const next = text.indexOf("<", at);
      const end = next === -1 ? text.length : next;
      yield [at, end];
      at = end;
    }
  }
}

const CDATA = "<![CDATA[";

function endOfMarkup(text: string, at: number): number {
  for (const [start, end] of [
    ["<!--", "-->"],
    [CDATA, "]]>"],
    ["<?", "?>"],
  ] as const)
    if (text.startsWith(start, at)) return text.indexOf(end, at + start.length) + end.length;
  return endOfTag(text, at);
}

/** Returns the offset after a tag, whose values may have a `>`. */
function endOfTag(text: string, from: number): number {
  const next = /[>"']/g;
  next.lastIndex = from;
  for (let found = next.exec(text); found !== null; found = next.exec(text)) {
    const [mark] = found;
    if (mark === ">") return next.lastIndex;
    next.lastIndex = text.indexOf(mark, next.lastIndex) + 1;
  }
  return text.length;
}
