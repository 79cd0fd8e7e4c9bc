import { lookUpInterface } from "../../../vm/interface/interfaces.ts";
import { type Command, INTERFACE_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt iface-mac INTERFACE` */
export const command: Command = {
  spec: {
    name: "iface-mac",
    summary: "print the address of a network interface of the host",
    recovery: "none",
    operands: [INTERFACE_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const { mac } = lookUpInterface(call.instance, operand(call, "interface"));
    if (call.options.has("json")) printJson(call, mac);
    else call.output.print(`${mac}\n\n`);
    return Promise.resolve(undefined);
  },
};
