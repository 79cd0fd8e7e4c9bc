import { findNetwork } from "../../../vm/network/find-network.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand, printJson } from "../../command.ts";

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
    if (call.options.has("json")) printJson(call, uuid);
    else call.output.print(`${uuid}\n\n`);
    return Promise.resolve(undefined);
  },
};
