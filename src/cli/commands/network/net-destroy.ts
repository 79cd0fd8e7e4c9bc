import { destroyNetwork } from "../../../vm/network/start-network.ts";
import { type Command, NETWORK_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt net-destroy NETWORK` */
export const command: Command = {
  spec: {
    name: "net-destroy",
    summary: "make a network inactive",
    details:
      "Guests that use the network keep running, on a bridge or device of the host as before. A bridge that the network has made is\n" +
      "removed. A network without a definition is gone.",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [],
  },
  async run(call) {
    const { did, name } = await destroyNetwork(call.instance, operand(call, "network"));
    call.output.print(`Network ${oneLine(name)} ${did ? "destroyed" : "is not active"}\n\n`);
    return undefined;
  },
};
