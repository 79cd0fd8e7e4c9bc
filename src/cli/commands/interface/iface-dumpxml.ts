import { getInterfaceXml } from "../../../vm/interface/interfaces.ts";
import { type Command, INTERFACE_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt iface-dumpxml INTERFACE` */
export const command: Command = {
  spec: {
    name: "iface-dumpxml",
    summary: "print the XML of a network interface of the host",
    recovery: "none",
    operands: [INTERFACE_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const name = operand(call, "interface");
    const xml = getInterfaceXml(call.instance, name);
    if (call.options.has("json")) printJson(call, { name, xml });
    else call.output.print(`${xml}\n`);
    return Promise.resolve(undefined);
  },
};
