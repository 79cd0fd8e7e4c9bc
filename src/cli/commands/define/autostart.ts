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
    options: [
      { name: "disable", summary: "do not start it at boot" },
      {
        name: "once",
        summary: "only at the next boot: this mark is set or removed apart from the other",
      },
    ],
  },
  async run(call) {
    const wanted = !call.options.has("disable");
    const when = call.options.has("once") ? "once" : "always";
    const { name } = markAutostart(call.instance, operand(call, "domain"), { wanted, when });
    const next = when === "once" ? " on next boot" : "";
    call.output.print(`Domain '${name}' ${wanted ? "marked" : "unmarked"} as autostarted${next}\n\n`);
    return undefined;
  },
};
