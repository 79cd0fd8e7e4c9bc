import { type FreeMemory, listFreeMemory } from "../../../vm/host/memory.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Call, type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt freecell` */
export const command: Command = {
  spec: {
    name: "freecell",
    summary: "show the host's free memory",
    recovery: "none",
    operands: [{ name: "cellno", summary: "the number of a NUMA cell", isOptional: true }],
    options: [{ name: "all", summary: "show each NUMA cell" }, JSON_OPTION],
  },
  async run(call) {
    const free = listFreeMemory(call.instance, whichOf(call));
    if (call.options.has("json")) printJson(call, free);
    else call.output.print(call.options.has("all") ? formatAll(free) : formatOne(free));
    return undefined;
  },
};

function whichOf({ operands, options }: Call): Parameters<typeof listFreeMemory>[1] {
  if (options.has("all")) return "cells";
  const text = operands.get("cellno");
  return text === undefined ? "host" : { cell: parseWhole(text, "cellno", [0, 65_535]) };
}

function formatOne(free: readonly FreeMemory[]): string {
  return `${free.map(({ cell, freeKiB }) => `${cell ?? "Total"}: ${freeKiB} KiB\n`).join("")}\n`;
}

/** Formats lines as virsh's printf does: "%5d: %10llu KiB", a line, "%5s: %10llu KiB". */
function formatAll(free: readonly FreeMemory[]): string {
  const line = (name: string, kiB: number): string =>
    `${name.padStart(5)}: ${String(kiB).padStart(10)} KiB\n`;
  const sum = free.reduce((total, { freeKiB }) => total + freeKiB, 0);
  const cells = free.map(({ cell, freeKiB }) => line(String(cell), freeKiB)).join("");
  return `${cells}${"-".repeat(20)}\n${line("Total", sum)}\n`;
}
