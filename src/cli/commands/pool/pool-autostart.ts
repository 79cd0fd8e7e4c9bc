import { markPool } from "../../../vm/pool/autostart-pool.ts";
import { type Command, operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-autostart POOL` */
export const command: Command = {
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
  async run(call) {
    const isMarked = !call.options.has("disable");
    const { name } = await markPool(call.instance, operand(call, "pool"), isMarked);
    call.output.print(`Pool ${oneLine(name)} ${isMarked ? "marked" : "unmarked"} as autostarted\n\n`);
    return undefined;
  },
};
