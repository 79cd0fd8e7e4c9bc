import { findNetwork } from "../../../vm/network/find-network.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt net-uuid NETWORK` */
export const command: Command = {
  spec: {
    name: "net-uuid",
    summary: "print the uuid of a network",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const { uuid } = findNetwork(call.instance, operand(call, "network"));
    printValue(call, uuid);
    return Promise.resolve(undefined);
  },
};
