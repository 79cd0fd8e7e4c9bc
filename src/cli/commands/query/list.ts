import { type ListedState, listStates } from "../../../vm/query/listed-states.ts";
import { type Call, type Command, JSON_OPTION, printJson } from "../../command.ts";
import { formatTable } from "../../output/table.ts";
import { warnOfPermissive } from "../../output/warn-of-mode.ts";

interface Row {
  readonly id: number | undefined;
  readonly name: string;
  readonly uuid: string | undefined;
  readonly state: string;
  /** Whether a running guest's QEMU has answered the query for its state. */
  readonly monitor?: ListedState["monitor"];
}

/** `svirt list` */
export const command: Command = {
  spec: {
    name: "list",
    summary: "list the domains that run",
    details:
      "A guest whose virtual CPUs are active, as the kernel shows, is running. The QEMUs of the other guests are asked, all " +
      "at once. One that does not answer within 1 s is shown as running (no answer), since its process exists, or as " +
      "running (busy) while another svirt works on that guest. With --json the field monitor has answers, no answer, busy or " +
      "not asked; svirt domstate --reason asks always.",
    recovery: "all",
    operands: [],
    options: [
      { name: "all", summary: "those that are off as well" },
      { name: "inactive", summary: "only those that are off" },
      { name: "uuid", summary: "uuids only, one a line" },
      { name: "id", summary: "ids only, of those that run; beside uuids or names, - for the others" },
      { name: "name", summary: "names only, or after the other two" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    warnOfPermissive(call);
    const rows = await listRows(call);
    if (call.options.has("json")) printJson(call, rows);
    else call.output.print(formatRows(call, rows));
    return undefined;
  },
};

async function listRows(call: Call): Promise<Row[]> {
  const { instance, options, running } = call;
  const [wantsAll, wantsInactive] = [options.has("all"), options.has("inactive")];
  const active = wantsInactive && !wantsAll ? [] : await activeRows(call);
  if (!wantsAll && !wantsInactive) return active;
  const { listDefinitionNames } = await import("../../../state/definitions.ts");
  const runningNames = new Set(running.map((guest) => guest.name));
  const names = listDefinitionNames(instance).filter((name) => !runningNames.has(name));
  return [...active, ...(await inactiveRows(call, names))];
}

async function activeRows({ instance, running }: Call): Promise<Row[]> {
  if (running.length === 0) return [];
  const states = await listStates(instance, running);
  const rows: Row[] = [];
  for (const { id, name, uuid } of running)
    rows.push({ id, name, uuid, state: "running", ...states[rows.length] });
  return rows;
}

/** Lists domains that are off. Reads a definition only if its UUID is requested. */
async function inactiveRows(call: Call, names: readonly string[]): Promise<Row[]> {
  const wantsUuid = call.options.has("uuid") || call.options.has("json");
  const { readDefinition } = await import("../../../state/definitions.ts");
  return names.map((name) => {
    const uuid = wantsUuid ? readDefinition(call.instance, name)?.uuid : undefined;
    return { id: undefined, name, uuid, state: "shut off" };
  });
}

function formatRows(call: Call, rows: readonly Row[]): string {
  for (const column of COLUMNS) if (call.options.has(column)) return formatColumns(call, rows);
  const cells: string[][] = [];
  for (const row of rows) cells.push([row.id === undefined ? "-" : String(row.id), row.name, stateOf(row)]);
  return formatTable(["Id", "Name", "State"], cells);
}

/** Appends the mark to the last column, so that it moves no column of virsh. */
function stateOf({ monitor, state }: Row): string {
  return monitor === "no answer" || monitor === "busy" ? `${state} (${monitor})` : state;
}

/** Columns in the order of virsh. cmdList() of libvirt's tools/virsh-domain-monitor.c */
const COLUMNS = ["uuid", "id", "name"] as const;

/** Formats columns. If only ids are requested, domains that are off have no row. */
function formatColumns({ options }: Call, rows: readonly Row[]): string {
  const columns = COLUMNS.filter((column) => options.has(column));
  const isIdsOnly = columns.length === 1 && columns[0] === "id";
  const shown = rows.filter(({ id }) => !isIdsOnly || id !== undefined);
  return shown.map((row) => `${columns.map((column) => row[column] ?? "-").join(" ")}\n`).join("");
}
