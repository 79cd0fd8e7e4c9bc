import { findNetwork } from "../../../vm/network/find-network.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt net-name NETWORK` */
export const command: Command = {
  spec: {
    name: "net-name",
    summary: "print the name of a network",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const { name } = findNetwork(call.instance, operand(call, "network"));
    printValue(call, name);
    return Promise.resolve(undefined);
  },
};
