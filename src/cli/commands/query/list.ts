import { type ListedDomain, type ListOptions, listDomains } from "../../../vm/query/domain-list.ts";
import type { DetailedDomain } from "../../../vm/query/select-listed.ts";
import { DOMAIN_FILTER_OPTIONS, domainGroupsOf } from "../../arguments/domain-filter.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Call, type Command, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";
import { warnOf } from "../../output/warn-of.ts";
import { warnOfPermissive } from "../../output/warn-of-mode.ts";

/** `svirt list` */
export const command: Command = {
  spec: {
    name: "list",
    summary: "list the running domains",
    details:
      "A guest is running if its virtual CPUs are active, as shown by the kernel. The QEMUs of the other guests are queried " +
      "concurrently. A guest without an answer within 1 s is shown as running (no answer), since its process exists, or as " +
      "running (busy) while another svirt works on it. With --json the field monitor has answers, no answer, busy or " +
      "not asked; svirt domstate --reason always queries QEMU.",
    recovery: "all",
    operands: [],
    options: [
      { name: "all", summary: "also domains that are off" },
      { name: "inactive", summary: "only domains that are off" },
      { name: "uuid", summary: "uuids only, a line each" },
      { name: "id", summary: "ids only, of running domains; with uuids or names, - for other domains" },
      { name: "name", summary: "names only; with --uuid or --id, names in the last column" },
      { name: "table", summary: "the table, as without --uuid, --id and --name" },
      { name: "title", summary: "also the titles" },
      { name: "managed-save", summary: "show saved as the state of a domain with a managed save" },
      ...DOMAIN_FILTER_OPTIONS,
      JSON_OPTION,
    ],
  },
  async run(call) {
    warnOfPermissive(call);
    for (const column of COLUMNS) onlyOne(call, ["table", column]);
    const { instance, options, running } = call;
    const wantsUuids = options.has("uuid") || options.has("json");
    const listed = await listDomains(instance, {
      running,
      which: whichOf(call),
      wantsUuids,
      onDamaged: (error) => warnOf(call, "warning", [error]),
    });
    const domains = await detailed(call, listed);
    if (options.has("json")) printJson(call, domains);
    else call.output.print(formatRows(call, domains));
    return undefined;
  },
};

/** Selects domains and adds columns if an option asks for that. The usual list loads nothing for it. */
async function detailed(call: Call, listed: readonly ListedDomain[]): Promise<readonly DetailedDomain[]> {
  const { instance, options, running } = call;
  const groups = domainGroupsOf(call);
  const needsMore = options.has("title") || options.has("managed-save");
  if (groups.length === 0 && !needsMore) return listed;
  const { selectListed, addDetails } = await import("../../../vm/query/select-listed.ts");
  const selected = await selectListed(instance, listed, { running, groups });
  return needsMore ? addDetails(instance, selected) : selected;
}

/** As virsh: it lists inactive domains on request of their state. */
function whichOf({ options }: Call): ListOptions["which"] {
  if (options.has("all")) return "all";
  return options.has("inactive") || options.has("state-shutoff") ? "inactive" : "active";
}

function formatRows(call: Call, rows: readonly DetailedDomain[]): string {
  for (const column of COLUMNS) if (call.options.has(column)) return formatColumns(call, rows);
  const hasTitles = call.options.has("title");
  const cells: string[][] = [];
  for (const row of rows) {
    const title = hasTitles ? [oneLine(row.title ?? "")] : [];
    cells.push([row.id === undefined ? "-" : String(row.id), row.name, shownState(call, row), ...title]);
  }
  return formatTable(["Id", "Name", "State", ...(hasTitles ? ["Title"] : [])], cells);
}

function shownState({ options }: Call, row: DetailedDomain): string {
  const isSaved = row.id === undefined && row.hasManagedSave === true;
  return isSaved && options.has("managed-save") ? "saved" : stateOf(row);
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
