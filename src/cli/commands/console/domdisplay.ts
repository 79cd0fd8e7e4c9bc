import { getScreen } from "../../../vm/query/guest-screen.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatDisplayUri } from "../../output/screen-address.ts";

/** `svirt domdisplay DOMAIN` */
export const command: Command = {
  spec: {
    name: "domdisplay",
    summary: "print the address of a running guest's screen, for a viewer",
    details: "For a viewer on the host. See vncdisplay for a viewer on another machine.",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "type", summary: "vnc, the only type", value: "TYPE" },
      { name: "all", summary: "all screens; svirt has at most one" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const screen = getScreen(call.instance, operand(call, "domain"), call.options.get("type"));
    const uri = formatDisplayUri(screen);
    if (call.options.has("json")) printJson(call, { uri });
    else call.output.print(`${uri}\n`);
    return undefined;
  },
};
