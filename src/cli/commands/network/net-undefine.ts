import { networkRemoval } from "../../../vm/network/define-network.ts";
import { NETWORK_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt net-undefine NETWORK` */
export const command = plannedCommand({
  spec: {
    name: "net-undefine",
    summary: "remove a network's definition; an active network stays active",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [],
  },
  change: (call) => networkRemoval(operand(call, "network")),
  report(call, { name }) {
    call.output.print(`Network ${oneLine(name)} has been undefined\n\n`);
  },
});
