import { markNetwork } from "../../../vm/network/autostart-network.ts";
import { type Command, NETWORK_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt net-autostart NETWORK` */
export const command: Command = {
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
  async run(call) {
    const isMarked = !call.options.has("disable");
    const { name } = await markNetwork(call.instance, operand(call, "network"), isMarked);
    call.output.print(`Network ${oneLine(name)} ${isMarked ? "marked" : "unmarked"} as autostarted\n\n`);
    return undefined;
  },
};
