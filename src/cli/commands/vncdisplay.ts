import { findRunning } from "../../vm/find-domain.ts";
import { getScreenSocket } from "../../vm/guest-screen.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../command.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt vncdisplay DOMAIN` */
export const command: Command = {
  spec: {
    name: "vncdisplay",
    summary: "where a running guest's screen is to be had by VNC",
    details: [
      "A guest's screen is a socket in its own folder, which only root may reach. From elsewhere, by SSH:",
      "ssh -L 5900:$(ssh root@NODE svirt vncdisplay DOMAIN) root@NODE, then a viewer on localhost:5900.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    await sweepFirst(call);
    const { guest } = findRunning(call.node, operand(call, "domain"));
    const socket = getScreenSocket(call.node, guest);
    if (call.options.has("json")) printJson(call, { socket });
    else call.output.print(`${socket}\n\n`);
    return undefined;
  },
};
