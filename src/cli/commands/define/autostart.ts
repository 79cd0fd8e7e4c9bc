import { domainMark } from "../../../vm/define/autostart.ts";
import { type Call, DOMAIN_OPERAND, operand } from "../../command.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt autostart DOMAIN` */
export const command = plannedCommand({
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
        summary: "only at the next boot: that mark is set or removed apart from the other one",
      },
    ],
  },
  change: (call) => domainMark(operand(call, "domain"), markOf(call)),
  report(call, { name }) {
    const { wanted, when } = markOf(call);
    const next = when === "once" ? " on next boot" : "";
    call.output.print(`Domain '${name}' ${wanted ? "marked" : "unmarked"} as autostarted${next}\n\n`);
  },
});

function markOf(call: Call): { readonly wanted: boolean; readonly when: "always" | "once" } {
  return { wanted: !call.options.has("disable"), when: call.options.has("once") ? "once" : "always" };
}
