import { networkEnd } from "../../../vm/network/start-network.ts";
import { NETWORK_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt net-destroy NETWORK` */
export const command = plannedCommand({
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
  change: (call) => networkEnd(operand(call, "network")),
  report(call, { did, name }) {
    call.output.print(`Network ${oneLine(name)} ${did ? "destroyed" : "is not active"}\n\n`);
  },
});
