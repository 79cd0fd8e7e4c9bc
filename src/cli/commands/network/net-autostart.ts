import { networkMark } from "../../../vm/network/autostart-network.ts";
import { NETWORK_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt net-autostart NETWORK` */
export const command = plannedCommand({
  spec: {
    name: "net-autostart",
    summary: "start a network when the node boots",
    details:
      "At boot, `svirt recover --autostart` starts root's marked networks before the domains. An ordinary user's networks are not\n" +
      "started at boot.",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [{ name: "disable", summary: "do not start it at boot" }],
  },
  change: (call) => networkMark(operand(call, "network"), !call.options.has("disable")),
  report(call, { name }) {
    const done = call.options.has("disable") ? "unmarked" : "marked";
    call.output.print(`Network ${oneLine(name)} ${done} as autostarted\n\n`);
  },
});
