import { compare } from "./names.ts";
import { formatRight, type OurRight } from "./needed.ts";

/** Heading of each right, by formatRight(). */
export type RightTable = ReadonlyMap<string, string>;

/**
 * Parses a table of rights: "== HEADING", then lines "source target class { permissions }". Text before the
 * first heading is for readers. Throws for any other line, and for a duplicate right.
 */
export function parseTable(text: string): RightTable {
  const table = new Map<string, string>();
  for (const section of text.split(/^== /m).slice(1)) {
    const [heading = "", ...lines] = section.trimEnd().split("\n");
    for (const right of lines.flatMap(rightsOfLine)) {
      if (table.has(right)) throw new Error(`Cannot read the table of rights: ${right} is there twice`);
      table.set(right, heading);
    }
  }
  return table;
}

function rightsOfLine(line: string): readonly string[] {
  const [, start, permissions] = /^(\S+ \S+ \S+) \{ (.+) \}$/.exec(line) ?? [];
  if (permissions === undefined) throw new Error(`Cannot read the table of rights: ${line}`);
  return permissions.split(" ").map((permission) => `${start} ${permission}`);
}

/** Formats the table of the rights that have a heading. */
export function formatTable(head: string, rights: readonly OurRight[], table: RightTable): string {
  const known = rights.filter((right) => table.has(formatRight(right)));
  const sections = [...Map.groupBy(known, (right) => table.get(formatRight(right)) ?? "")];
  const text = sections
    .toSorted(([a], [b]) => compare(a, b))
    .map(([heading, own]) => `== ${heading}\n${formatLines(own)}\n`);
  return [head, ...text].join("\n");
}

function formatLines(rights: readonly OurRight[]): string {
  const lines = Map.groupBy(rights, ({ source, target, tclass }) => `${source} ${target} ${tclass}`);
  return [...lines]
    .map(([start, own]) => {
      const permissions = own.map(({ permission }) => permission).toSorted(compare);
      return `${start} { ${permissions.join(" ")} }`;
    })
    .toSorted(compare)
    .join("\n");
}
