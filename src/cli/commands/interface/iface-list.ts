import { selectInterfaces } from "../../../vm/interface/interfaces.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt iface-list` */
export const command: Command = {
  spec: {
    name: "iface-list",
    summary: "list the active network interfaces of the host",
    recovery: "none",
    operands: [],
    options: [
      { name: "inactive", summary: "only inactive interfaces" },
      { name: "all", summary: "also inactive interfaces" },
      JSON_OPTION,
    ],
  },
  run(call) {
    onlyOne(call, ["all", "inactive"]);
    const [all, inactive] = [call.options.has("all"), call.options.has("inactive")];
    const found = selectInterfaces(call.instance, { active: !inactive, inactive: all || inactive });
    const rows = found.map(({ isActive, mac, name }) => [
      oneLine(name),
      isActive ? "active" : "inactive",
      mac,
    ]);
    if (call.options.has("json")) printJson(call, found);
    else call.output.print(formatTable(["Name", "State", "MAC Address"], rows));
    return Promise.resolve(undefined);
  },
};
