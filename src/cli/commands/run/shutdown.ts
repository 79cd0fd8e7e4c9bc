import { shutdownGuest } from "../../../vm/lifecycle/power-off.ts";
import { askingWays, MODE_OPTION } from "../../arguments/asking-ways.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt shutdown DOMAIN` */
export const command: Command = {
  spec: {
    name: "shutdown",
    summary: "ask a guest to power itself off",
    operands: [DOMAIN_OPERAND],
    options: [MODE_OPTION],
  },
  async run(call) {
    const { did, name } = await shutdownGuest(call.instance, operand(call, "domain"), askingWays(call));
    call.output.print(did ? `Domain '${name}' is being shutdown\n\n` : `Domain '${name}' is not running\n\n`);
    return undefined;
  },
};
