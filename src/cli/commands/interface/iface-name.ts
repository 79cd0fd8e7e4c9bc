import { lookUpInterfaceByMac } from "../../../vm/interface/interfaces.ts";
import { type Command, JSON_OPTION, operand } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt iface-name MAC` */
export const command: Command = {
  spec: {
    name: "iface-name",
    summary: "print the name of the network interface of the host with an address",
    recovery: "none",
    operands: [{ name: "interface", summary: "address such as 52:54:00:12:34:56" }],
    options: [JSON_OPTION],
  },
  run(call) {
    const { name } = lookUpInterfaceByMac(call.instance, operand(call, "interface"));
    printValue(call, name);
    return Promise.resolve(undefined);
  },
};
