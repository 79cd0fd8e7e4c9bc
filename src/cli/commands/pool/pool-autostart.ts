import { poolMark } from "../../../vm/pool/autostart-pool.ts";
import { operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt pool-autostart POOL` */
export const command = plannedCommand({
  spec: {
    name: "pool-autostart",
    summary: "start a storage pool when the node boots",
    details:
      "At boot, `svirt recover --autostart` starts root's marked pools after the networks and before the domains. An ordinary user's\n" +
      "pools are not started at boot.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [{ name: "disable", summary: "do not start it at boot" }],
  },
  change: (call) => poolMark(operand(call, "pool"), !call.options.has("disable")),
  report(call, { name }) {
    const done = call.options.has("disable") ? "unmarked" : "marked";
    call.output.print(`Pool ${oneLine(name)} ${done} as autostarted\n\n`);
  },
});
