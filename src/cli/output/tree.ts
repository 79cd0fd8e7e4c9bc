/** Node of a tree: its name, and that of the node above it; undefined: none. */
interface TreeNode {
  readonly name: string;
  readonly parent: string | undefined;
}

/** Formats nodes as virsh does, each below its parent. vshTreePrint() of libvirt */
export function formatTree(nodes: readonly TreeNode[]): string {
  const below = Map.groupBy(nodes, ({ parent }) => parent);
  const roots = below.get(undefined) ?? [];
  const lines = roots.flatMap(({ name }) => [name, ...linesBelow(below, name, "")]);
  return lines.map((line) => `${line}\n`).join("");
}

/** Returns the lines of all nodes below one. */
function linesBelow(
  below: ReadonlyMap<string | undefined, readonly TreeNode[]>,
  name: string,
  indent: string,
): readonly string[] {
  const nodes = below.get(name) ?? [];
  const lines = nodes.flatMap((node, at) => {
    const isLast = at === nodes.length - 1;
    const inner = `${indent}  ${isLast ? " " : "|"} `;
    const more = linesBelow(below, node.name, inner);
    return [`${indent}  +- ${node.name}`, ...more, ...(isLast && more.length === 0 ? [inner] : [])];
  });
  return lines.length === 0 ? [] : [`${indent}  |`, ...lines];
}
