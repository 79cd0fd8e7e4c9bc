import { lookUpInterface } from "../../../vm/interface/interfaces.ts";
import { type Command, INTERFACE_OPERAND, JSON_OPTION, operand } from "../../command.ts";
import { printValue } from "../../print-value.ts";

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
    printValue(call, mac);
    return Promise.resolve(undefined);
  },
};
