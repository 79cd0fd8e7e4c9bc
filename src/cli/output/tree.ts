import { oneLine } from "./one-line.ts";

/** Entry of a tree. */
interface Entry {
  readonly name: string;
  /** Name of the entry above it; undefined for a root. */
  readonly parent?: string | undefined;
}

/** Formats entries as virsh does, the children of each below it. vshTreePrint() of libvirt's tools/vsh.c */
export function formatTree(entries: readonly Entry[]): string {
  return entries
    .filter(({ parent }) => parent === undefined)
    .map((root) => `${linesOf(entries, root, { indent: "", isLast: true, isRoot: true }).join("\n")}\n`)
    .join("");
}

interface Position {
  readonly indent: string;
  readonly isLast: boolean;
  readonly isRoot?: true;
}

function linesOf(entries: readonly Entry[], { name }: Entry, { indent, isLast, isRoot }: Position): string[] {
  const children = entries.filter(({ parent }) => parent === name);
  const below = isRoot === true ? indent : `${indent}${isLast ? " " : "|"} `;
  const lines = [`${indent}${isRoot === true ? "" : "+- "}${oneLine(name)}`];
  if (children.length > 0) lines.push(`${below}  |`);
  for (const [at, child] of children.entries()) {
    const isLastChild = at === children.length - 1;
    lines.push(...linesOf(entries, child, { indent: `${below}  `, isLast: isLastChild }));
  }
  if (children.length === 0 && isLast) lines.push(below);
  return lines;
}
