import { type Call, type Command, JSON_OPTION, printJson } from "../command.ts";
import { sweepFirst } from "../sweep-first.ts";
import { formatTable } from "../table.ts";
import { warnOfPermissive } from "../warn-of-mode.ts";

interface Row {
  readonly id: number | undefined;
  readonly name: string;
  readonly uuid: string | undefined;
  readonly state: string;
}

/** `svirt list` */
export const command: Command = {
  spec: {
    name: "list",
    summary: "list the domains that run",
    operands: [],
    options: [
      { name: "all", summary: "those that are off as well" },
      { name: "inactive", summary: "only those that are off" },
      { name: "name", summary: "names only, one a line" },
      { name: "uuid", summary: "uuids only, one a line" },
      { name: "id", summary: "ids only, one a line" },
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
  const { node, options } = call;
  const guests = await sweepFirst(call);
  const active = options.has("inactive") ? [] : await activeRows(call, guests);
  if (!options.has("all") && !options.has("inactive")) return active;
  const { listDefinitionNames } = await import("../../vm/definitions.ts");
  const running = new Set(guests.map((guest) => guest.name));
  const names = listDefinitionNames(node).filter((name) => !running.has(name));
  return [...active, ...(await inactiveRows(call, names))];
}

async function activeRows(call: Call, guests: Awaited<ReturnType<typeof sweepFirst>>): Promise<Row[]> {
  if (guests.length === 0) return [];
  const { getGuestState } = await import("../../vm/guest-state.ts");
  return await Promise.all(
    guests.map(async (guest) => {
      const { state } = await getGuestState(call.node, guest);
      return { id: guest.id, name: guest.name, uuid: guest.uuid, state };
    }),
  );
}

/** A uuid stands in the definition, which is read only if somebody wants to know. */
async function inactiveRows(call: Call, names: readonly string[]): Promise<Row[]> {
  const wantsUuid = call.options.has("uuid") || call.options.has("json");
  const { readDefinition } = await import("../../vm/definitions.ts");
  return names.map((name) => {
    const uuid = wantsUuid ? readDefinition(call.node, name)?.uuid : undefined;
    return { id: undefined, name, uuid, state: "shut off" };
  });
}

function formatRows(call: Call, rows: readonly Row[]): string {
  const column = wantedColumn(call);
  const cells: string[][] = [];
  let lines = "";
  for (const row of rows) {
    if (column !== undefined) lines += `${row[column] ?? "-"}\n`;
    cells.push([row.id === undefined ? "-" : String(row.id), row.name, row.state]);
  }
  return column === undefined ? formatTable(["Id", "Name", "State"], cells) : lines;
}

function wantedColumn({ options }: Call): "name" | "uuid" | "id" | undefined {
  for (const name of ["name", "uuid", "id"] as const) if (options.has(name)) return name;
  return undefined;
}
