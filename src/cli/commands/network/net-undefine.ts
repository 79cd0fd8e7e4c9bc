import { undefineNetwork } from "../../../vm/network/define-network.ts";
import { type Command, NETWORK_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt net-undefine NETWORK` */
export const command: Command = {
  spec: {
    name: "net-undefine",
    summary: "remove a network's definition; an active network stays active",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [],
  },
  async run(call) {
    const { name } = await undefineNetwork(call.instance, operand(call, "network"));
    call.output.print(`Network ${oneLine(name)} has been undefined\n\n`);
    return undefined;
  },
};
