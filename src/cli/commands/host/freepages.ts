import { parseSizeInKiB } from "../../../domain/forms/memory-size.ts";
import { SvirtError } from "../../../errors.ts";
import { type FreePages, listFreePages } from "../../../vm/host/free-pages.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Call, type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt freepages` */
export const command: Command = {
  spec: {
    name: "freepages",
    summary: "show the free memory pages of the host, by their sizes",
    recovery: "none",
    operands: [],
    options: [
      {
        name: "cellno",
        summary: "the number of a NUMA cell; -1: the whole host; needs --pagesize",
        value: "NUMBER",
      },
      { name: "pagesize", summary: "only pages of this size, in KiB or with a unit: 2M", value: "SIZE" },
      { name: "all", summary: "each NUMA cell" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const form = onlyOne(call, ["all", "cellno"]);
    const found = listFreePages(call.instance, { cell: cellOf(call), sizeKiB: sizeOf(call) });
    if (call.options.has("json")) printJson(call, found);
    else call.output.print(`${found.map(form === "all" ? formatCell : formatPages).join("")}\n`);
    return undefined;
  },
};

function cellOf({ options }: Call): number | undefined {
  if (options.has("all")) return undefined;
  const cell = options.get("cellno");
  if (cell === undefined) throw missing("cellno", "Add --all, or --cellno with --pagesize.");
  if (!options.has("pagesize")) throw missing("pagesize", "Add --pagesize.");
  return cell === "-1" ? -1 : parseWhole(cell, "cellno", [0, 65_535]);
}

function sizeOf({ options }: Call): number | undefined {
  const text = options.get("pagesize");
  if (text === undefined) return undefined;
  const kiB = parseSizeInKiB(text);
  return kiB ?? parseWhole(text, "pagesize", [1, 2 ** 32 - 1]);
}

function missing(name: string, remedy: string): SvirtError {
  return new SvirtError(`missing ${name} argument`, { kind: "usage", remedy });
}

function formatCell(found: FreePages): string {
  return `Node ${found.cell}:\n${formatPages(found)}\n`;
}

function formatPages({ pages }: FreePages): string {
  return pages.map(({ free, sizeKiB }) => `${sizeKiB}KiB: ${free}\n`).join("");
}
