/** Command of README.md, typed on the node, and the lines below it. */
export interface Typed {
  readonly command: string;
  readonly lines: readonly string[];
}

/** Returns the section of README.md from its heading `## TITLE` to the next one. Throws if there is none. */
export function sectionOf(readme: string, title: string): string {
  const [, after] = readme.split(`\n## ${title}\n`);
  if (after === undefined) throw new Error(`Cannot read README.md: no section is called "${title}"`);
  return after.split("\n## ")[0] ?? "";
}

/** Returns the indented blocks of a section, without their indentation; blank lines inside a block stay. */
export function blocksOf(section: string): readonly (readonly string[])[] {
  const blocks: string[][] = [[]];
  for (const line of section.split("\n")) {
    if (line.startsWith("    ")) blocks.at(-1)?.push(line.slice(4));
    else if (line === "") blocks.at(-1)?.push("");
    else blocks.push([]);
  }
  return blocks.map(withoutBlankEnds).filter((block) => block.length > 0);
}

/** Returns the commands that a section shows behind the prompt `node# `, in order, each with its output. */
export function typedIn(section: string): readonly Typed[] {
  const typed: { command: string; lines: string[] }[] = [];
  for (const block of blocksOf(section)) {
    if (!block[0]?.startsWith(PROMPT)) continue;
    for (const line of block)
      if (line.startsWith(PROMPT)) typed.push({ command: line.slice(PROMPT.length), lines: [] });
      else typed.at(-1)?.lines.push(line);
  }
  return typed.map(({ command, lines }) => ({ command, lines: withoutBlankEnds(lines) }));
}

export const PROMPT = "node# ";

function withoutBlankEnds(lines: readonly string[]): readonly string[] {
  const isText = (line: string): boolean => line.trim() !== "";
  return lines.slice(lines.findIndex(isText), lines.findLastIndex(isText) + 1);
}

/**
 * Returns the first of the shown lines that is missing in a text, in order; undefined if all are present.
 * `...` stands for any number of lines; other shown lines are adjacent in the text too. With `whole`, no line
 * comes before the first or after the last one. Blanks count as one, and values that differ between two runs
 * as a word: see {@link withoutChance}.
 */
export function firstMissing(shown: readonly string[], text: string, whole = false): string | undefined {
  const wanted = [...(whole ? [] : ["..."]), ...shown.map(withoutChance), ...(whole ? [] : ["..."])];
  const lines = withoutBlankEnds(text.split("\n")).map(withoutChance);
  let furthest = 0;
  const matches = (index: number, at: number): boolean => {
    furthest = Math.max(furthest, index);
    if (index === wanted.length) return at === lines.length;
    if (wanted[index] !== "...") return lines[at] === wanted[index] && matches(index + 1, at + 1);
    return lines.some((_line, from) => from >= at && matches(index + 1, from)) || index + 1 === wanted.length;
  };
  return matches(0, 0) ? undefined : (shown[whole ? furthest : furthest - 1] ?? "the end");
}

/**
 * Replaces values that differ in each run: a process number in a row of `svirt audit`, an inode number of the
 * node's file system. Blanks and rules of tables, whose widths depend on these, count as one.
 */
function withoutChance(line: string): string {
  return line
    .replace(/^ (alice|bob|first)( +)\d+( +\d{10} )/, " $1$2PID$3")
    .replace(/^ \d+( +(?:alice|bob|first) +(?:running|shut))/, " ID$1")
    .replace(/"id": \d+/, '"id": ID')
    .replace(/\binode-([\d:]+)-\d+/g, "inode-$1-INODE")
    .replace(/-{5,}/g, "---")
    .replace(/\s+/g, " ")
    .trimEnd()
    .replace(/^ (?=\.\.\.$)/, "");
}
