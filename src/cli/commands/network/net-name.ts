import { findNetwork } from "../../../vm/network/find-network.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

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
    if (call.options.has("json")) printJson(call, name);
    else call.output.print(`${oneLine(name)}\n\n`);
    return Promise.resolve(undefined);
  },
};
