import { listPortUuids } from "../../../vm/network/network-ports.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand, printJson } from "../../command.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt net-port-list NETWORK` */
export const command: Command = {
  spec: {
    name: "net-port-list",
    summary: "list the interfaces of guests on an active network",
    operands: [NETWORK_OPERAND],
    options: [
      { name: "uuid", summary: "uuids only, a line each" },
      { name: "table", summary: "the table, as without --uuid" },
      JSON_OPTION,
    ],
  },
  run(call) {
    const form = onlyOne(call, ["table", "uuid"]);
    const ports = listPortUuids(call.instance, operand(call, "network"));
    if (call.options.has("json")) printJson(call, ports);
    else if (form === "uuid") call.output.print(ports.map((uuid) => `${uuid}\n`).join(""));
    else
      call.output.print(
        formatTable(
          ["UUID"],
          ports.map((uuid) => [uuid]),
        ),
      );
    return Promise.resolve(undefined);
  },
};
