import { listFilters } from "../../../vm/network/filter-list.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { formatTable } from "../../output/table.ts";
import { warnOf } from "../../output/warn-of.ts";

/** `svirt nwfilter-list` */
export const command: Command = {
  spec: {
    name: "nwfilter-list",
    summary: "list the filters for use in <filterref> of interfaces",
    recovery: "none",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const filters = listFilters(call.instance, (error) => warnOf(call, "warning", [error]));
    const rows = filters.map(({ name, uuid }) => [uuid, name]);
    if (call.options.has("json")) printJson(call, filters);
    else call.output.print(formatTable(["UUID", "Name"], rows));
    return undefined;
  },
};
