import { getPortXml } from "../../../vm/network/network-ports.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand, printJson } from "../../command.ts";

/** `svirt net-port-dumpxml NETWORK PORT` */
export const command: Command = {
  spec: {
    name: "net-port-dumpxml",
    summary: "print the XML of a guest's interface on an active network",
    operands: [
      NETWORK_OPERAND,
      { name: "port", summary: "uuid of the interface: portid in the guest's XML" },
    ],
    options: [JSON_OPTION],
  },
  run(call) {
    const shown = getPortXml(call.instance, operand(call, "network"), operand(call, "port"));
    if (call.options.has("json")) printJson(call, shown);
    else call.output.print(`${shown.xml}\n`);
    return Promise.resolve(undefined);
  },
};
