/**
 * Formats virsh's table. A blank precedes each cell, and dashes follow the header. Every column but the last
 * is padded to its widest cell and two blanks. libvirt tools/vsh-table.c
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columnWidths([header, ...rows]);
  let [lines, dashes] = ["", 0];
  for (const width of widths) dashes += width + 3;
  for (const row of rows) lines += `${formatRow(row, widths)}\n`;
  return `${formatRow(header, widths)}\n${"-".repeat(dashes)}\n${lines}\n`;
}

/** Formats virsh's list of facts: `Name:           vm1`. */
export function formatFacts(
  facts: readonly (readonly [name: string, value: string | undefined])[],
  width = 15,
): string {
  const lines = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`${`${name}:`.padEnd(width)} ${value}`],
  );
  return `${lines.join("\n")}\n\n`;
}

// Plain loops, for the speed of `svirt list`: map, reduce, flatMap and the like are each compiled at their
// first call. Math is created with all its functions at its first use. Each costs 20 to 80 us of the 1000 us
// by which list may exceed a hello world.

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (let at = 0; at < row.length; at += 1) {
      const width = widthOf(row[at] ?? "");
      if (width > (widths[at] ?? 0)) widths[at] = width;
    }
  }
  return widths;
}

function formatRow(cells: readonly string[], widths: readonly number[]): string {
  let text = "";
  for (let at = 0; at < cells.length; at += 1) {
    const cell = cells[at] ?? "";
    const blanks = at === cells.length - 1 ? 0 : (widths[at] ?? 0) + 2 - widthOf(cell);
    text += ` ${cell}${" ".repeat(blanks)}`;
  }
  return text;
}

/**
 * Returns the width of a text in terminal columns. Letters below the first combining character have a column
 * each.
 */
function widthOf(text: string): number {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) >= 0x300) {
      // Loaded for an unusual name, which is rare.
      const { cellWidth }: typeof import("./cell-width.ts") = require("./cell-width.ts");
      return cellWidth(text);
    }
  }
  return text.length;
}
