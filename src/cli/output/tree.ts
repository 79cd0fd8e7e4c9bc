import { oneLine } from "./one-line.ts";

/** Entry of a tree. */
interface Entry {
  readonly name: string;
  /** Name of the entry above it; undefined for a root. */
  readonly parent?: string | undefined;
}

/** Formats entries as virsh does, the children of each below it. vshTreePrint() of libvirt's tools/vsh.c */
export function formatTree(entries: readonly Entry[]): string {
  const children: Children = Map.groupBy(entries, ({ parent }) => parent);
  return (children.get(undefined) ?? [])
    .map((root) => {
      const lines: string[] = [];
      addLines(lines, { children, entry: root }, { indent: "", isLast: true, isRoot: true });
      return `${lines.join("\n")}\n`;
    })
    .join("");
}

type Children = ReadonlyMap<string | undefined, readonly Entry[]>;

interface Position {
  readonly indent: string;
  readonly isLast: boolean;
  readonly isRoot?: true;
}

function addLines(
  lines: string[],
  { children, entry: { name } }: { readonly children: Children; readonly entry: Entry },
  { indent, isLast, isRoot }: Position,
): void {
  const own = children.get(name) ?? [];
  const below = isRoot === true ? indent : `${indent}${isLast ? " " : "|"} `;
  lines.push(`${indent}${isRoot === true ? "" : "+- "}${oneLine(name)}`);
  if (own.length > 0) lines.push(`${below}  |`);
  for (const [at, entry] of own.entries())
    addLines(lines, { children, entry }, { indent: `${below}  `, isLast: at === own.length - 1 });
  if (own.length === 0 && isLast) lines.push(below);
}
