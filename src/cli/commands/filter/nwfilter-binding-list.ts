import { listFilterBindings } from "../../../vm/network/filter-bindings.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt nwfilter-binding-list` */
export const command: Command = {
  spec: {
    name: "nwfilter-binding-list",
    summary: "list the taps of running guests with a filter",
    operands: [],
    options: [JSON_OPTION],
  },
  run(call) {
    const bindings = listFilterBindings(call.instance);
    const rows = bindings.map(({ filter, portdev }) => [portdev, filter]);
    if (call.options.has("json")) printJson(call, bindings);
    else call.output.print(formatTable(["Port Dev", "Filter"], rows));
    return Promise.resolve(undefined);
  },
};
