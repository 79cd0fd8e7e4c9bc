import { markAutostart } from "../../../vm/define/autostart.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt autostart DOMAIN` */
export const command: Command = {
  spec: {
    name: "autostart",
    summary: "start a domain when the node boots",
    details:
      "At boot, `svirt recover --autostart` starts root's marked domains. An ordinary user's domains are not started at boot.",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "disable", summary: "do not start it at boot" }],
  },
  async run(call) {
    const isMarked = !call.options.has("disable");
    const { name } = markAutostart(call.instance, operand(call, "domain"), isMarked);
    call.output.print(`Domain '${name}' ${isMarked ? "marked" : "unmarked"} as autostarted\n\n`);
    return undefined;
  },
};
