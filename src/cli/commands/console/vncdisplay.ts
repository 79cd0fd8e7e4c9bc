import { getScreen } from "../../../vm/query/guest-screen.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatVncDisplay } from "../../output/screen-address.ts";

/** `svirt vncdisplay DOMAIN` */
export const command: Command = {
  spec: {
    name: "vncdisplay",
    summary: "print the VNC address of a running guest's screen",
    details: [
      "With <listen type='socket'/> a socket in the guest's folder, which only root can reach; otherwise an address and a",
      "display number, counted from port 5900, to which every user of the host can connect. From another machine, by SSH:",
      "ssh -L 5900:$(ssh root@NODE svirt vncdisplay DOMAIN) root@NODE for a socket, then a viewer on localhost:5900.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const screen = getScreen(call.instance, operand(call, "domain"));
    if (call.options.has("json")) printJson(call, screen);
    else call.output.print(`${formatVncDisplay(screen)}\n\n`);
    return undefined;
  },
};
