import { posix } from "node:path";

/** A project's files by path, with the text of those that are Markdown. */
export interface Pages {
  readonly texts: ReadonlyMap<string, string>;
  /** Returns the number of lines of a file; 0 for a folder; undefined if the path does not exist. */
  readonly countLines: (path: string) => number | undefined;
}

const INLINE = /!?\[(?:[^\][]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const REFERENCE = /^ {0,3}\[[^\]]+\]:\s+<?([^\s>]+)/gm;
const HTML = /<(?:a|img)\s[^>]*?(?:href|src)="([^"]+)"/g;
const MERMAID_CLICK = /^\s*click \S+ (?:href )?"([^"]+)"/gm;
const ABSOLUTE = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;
const LINES = /^L(\d+)(?:-L(\d+))?$/;

/** Lists broken relative links as "file: target: reason". */
export function listBrokenLinks({ countLines, texts }: Pages): string[] {
  const anchors = new Map([...texts].map(([file, text]) => [file, listAnchors(text)]));
  return [...texts].flatMap(([file, text]) =>
    linksOf(text).flatMap((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? file : posix.normalize(posix.join(posix.dirname(file), decodeURI(path)));
      const lines = countLines(target);
      if (lines === undefined) return [`${file}: ${link}: no such file`];
      if (anchor === undefined) return [];
      return hasAnchor(anchor, lines, anchors.get(target)) ? [] : [`${file}: ${link}: no such anchor`];
    }),
  );
}

/**
 * Returns the anchors that GitHub gives a page's headings: lower case, no punctuation, "-1" for the second of
 * a name.
 */
export function listAnchors(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutFences(text).matchAll(/^ {0,3}#{1,6} +(.*?)(?: +#+)? *$/gm)) {
    const slug = slugOf(heading);
    let unique = slug;
    for (let n = 1; anchors.has(unique); n += 1) unique = `${slug}-${n}`;
    anchors.add(unique);
  }
  for (const [, id = ""] of text.matchAll(/<[a-z]+ (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
    .replaceAll(" ", "-");
}

function linksOf(text: string): string[] {
  const prose = withoutFences(text).replace(/(`+)(?:(?!\1)[\s\S])*?\1/g, "");
  const found = [INLINE, REFERENCE, HTML].flatMap((form) => [...prose.matchAll(form)]);
  const clicks = [...text.matchAll(MERMAID_CLICK)];
  return [...found, ...clicks].map(([, link]) => link ?? "").filter((link) => !ABSOLUTE.test(link));
}

function withoutFences(text: string): string {
  return text.replace(/^ {0,3}(```+|~~~+)[\s\S]*?^ {0,3}\1 *$/gm, "");
}

function hasAnchor(anchor: string, lines: number, anchors: ReadonlySet<string> | undefined): boolean {
  if (anchors !== undefined) return anchors.has(anchor);
  const [, first, last] = LINES.exec(anchor) ?? [];
  return first !== undefined && Number(last ?? first) <= lines && Number(first) >= 1;
}
