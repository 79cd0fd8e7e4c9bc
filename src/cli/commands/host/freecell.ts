import { SvirtError } from "../../../errors.ts";
import { getMemory, listCells } from "../../../report/node-facts.ts";
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
    const free = listWanted(call).map((cell) => ({ cell, freeKiB: freeIn(call, cell) }));
    if (call.options.has("json")) printJson(call, free);
    else call.output.print(call.options.has("all") ? formatAll(free) : formatOne(free));
    return undefined;
  },
};

interface Free {
  /** Undefined for the whole host. */
  readonly cell: number | undefined;
  readonly freeKiB: number;
}

function listWanted(call: Call): readonly (number | undefined)[] {
  const cells = [...listCells(call.instance.host).keys()];
  if (call.options.has("all")) return cells;
  const text = call.operands.get("cellno");
  if (text === undefined) return [undefined];
  const cell = parseWhole(text, "cellno", [0, 65_535]);
  if (cells.includes(cell)) return [cell];
  throw new SvirtError(
    `Cannot tell of NUMA cell ${cell}: the host has those with number ${cells.join(", ")}`,
    {
      kind: "not-found",
      remedy: "Name one of these.",
    },
  );
}

function freeIn({ instance }: Call, cell: number | undefined): number {
  return getMemory(instance.host, cell).get("MemFree") ?? 0;
}

function formatOne(free: readonly Free[]): string {
  return `${free.map(({ cell, freeKiB }) => `${cell ?? "Total"}: ${freeKiB} KiB\n`).join("")}\n`;
}

/** Formats lines as virsh's printf does: "%5d: %10llu KiB", a line, "%5s: %10llu KiB". */
function formatAll(free: readonly Free[]): string {
  const line = (name: string, kiB: number): string =>
    `${name.padStart(5)}: ${String(kiB).padStart(10)} KiB\n`;
  const sum = free.reduce((total, { freeKiB }) => total + freeKiB, 0);
  const cells = free.map(({ cell, freeKiB }) => line(String(cell), freeKiB)).join("");
  return `${cells}${"-".repeat(20)}\n${line("Total", sum)}\n`;
}
