/**
 * virsh's table: a blank before each cell, every column but the last padded to its widest cell and two blanks, a line
 * of dashes below the header. libvirt tools/vsh-table.c
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, at) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[at] ?? ""))),
  );
  const last = header.length - 1;
  const formatRow = (cells: readonly string[]): string =>
    cells.map((cell, at) => ` ${at === last ? cell : pad(cell, (widths[at] ?? 0) + 2)}`).join("");
  const dashes = "-".repeat(widths.reduce((sum, width) => sum + width + 3, 0));
  return `${[formatRow(header), dashes, ...rows.map(formatRow)].join("\n")}\n\n`;
}

/** virsh's list of facts: `Name:           vm1`. */
export function formatFacts(facts: readonly (readonly [name: string, value: string | undefined])[]): string {
  const lines = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`${`${name}:`.padEnd(15)} ${value}`],
  );
  return `${lines.join("\n")}\n\n`;
}

function pad(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - widthOf(cell)));
}

/** In letters, not in units of UTF-16. */
function widthOf(text: string): number {
  return [...text].length;
}
