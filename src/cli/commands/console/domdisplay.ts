import { SvirtError } from "../../../errors.ts";
import { findRunning } from "../../../vm/guest/find-domain.ts";
import { formatDisplayUri, getScreen } from "../../../vm/query/guest-screen.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

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
    const { guest } = findRunning(call.instance, operand(call, "domain"));
    const type = call.options.get("type") ?? "vnc";
    if (type !== "vnc") {
      throw new SvirtError(`domain '${guest.name}' has no ${type} display`, {
        kind: "wrong-state",
        remedy: "Ask for vnc: no other is started by svirt.",
      });
    }
    const uri = formatDisplayUri(getScreen(call.instance, guest));
    if (call.options.has("json")) printJson(call, { uri });
    else call.output.print(`${uri}\n\n`);
    return undefined;
  },
};
