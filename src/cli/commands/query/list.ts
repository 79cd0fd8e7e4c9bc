import { type ListedDomain, type ListOptions, listDomains } from "../../../vm/query/domain-list.ts";
import { type Call, type Command, JSON_OPTION, printJson } from "../../command.ts";
import { formatTable } from "../../output/table.ts";
import { warnOf } from "../../output/warn-of.ts";
import { warnOfPermissive } from "../../output/warn-of-mode.ts";

/** `svirt list` */
export const command: Command = {
  spec: {
    name: "list",
    summary: "list the running domains",
    details:
      "A guest whose virtual CPUs are active, as the kernel shows, is running. The QEMUs of the other guests are queried " +
      "concurrently. One that does not answer within 1 s is shown as running (no answer), since its process exists, or as " +
      "running (busy) while another svirt works on that guest. With --json the field monitor has answers, no answer, busy or " +
      "not asked; svirt domstate --reason always queries QEMU.",
    recovery: "all",
    operands: [],
    options: [
      { name: "all", summary: "also domains that are off" },
      { name: "inactive", summary: "only domains that are off" },
      { name: "uuid", summary: "uuids only, one per line" },
      { name: "id", summary: "ids only, of running domains; with uuids or names, - for other domains" },
      { name: "name", summary: "names only; with --uuid or --id, names in the last column" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    warnOfPermissive(call);
    const { instance, options, running } = call;
    const wantsUuids = options.has("uuid") || options.has("json");
    const domains = await listDomains(instance, {
      running,
      which: whichOf(call),
      wantsUuids,
      onDamaged: (error) => warnOf(call, "warning", [error]),
    });
    if (options.has("json")) printJson(call, domains);
    else call.output.print(formatRows(call, domains));
    return undefined;
  },
};

function whichOf({ options }: Call): ListOptions["which"] {
  if (options.has("all")) return "all";
  return options.has("inactive") ? "inactive" : "active";
}

function formatRows(call: Call, rows: readonly ListedDomain[]): string {
  for (const column of COLUMNS) if (call.options.has(column)) return formatColumns(call, rows);
  const cells: string[][] = [];
  for (const row of rows) cells.push([row.id === undefined ? "-" : String(row.id), row.name, stateOf(row)]);
  return formatTable(["Id", "Name", "State"], cells);
}

/** Appends the mark to the last column, so that it moves no column of virsh. */
function stateOf({ monitor, state }: ListedDomain): string {
  return monitor === "no answer" || monitor === "busy" ? `${state} (${monitor})` : state;
}

/** Columns in the order of virsh. cmdList() of libvirt's tools/virsh-domain-monitor.c */
const COLUMNS = ["uuid", "id", "name"] as const;

/** Formats columns. If only ids are requested, domains that are off have no row. */
function formatColumns({ options }: Call, rows: readonly ListedDomain[]): string {
  const columns = COLUMNS.filter((column) => options.has(column));
  const isIdsOnly = columns.length === 1 && columns[0] === "id";
  const shown = rows.filter(({ id }) => !isIdsOnly || id !== undefined);
  return shown.map((row) => `${columns.map((column) => row[column] ?? "-").join(" ")}\n`).join("");
}
