import { rebootGuest } from "../../../vm/lifecycle/power-off.ts";
import { askingWays, MODE_OPTION } from "../../arguments/asking-ways.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt reboot DOMAIN` */
export const command: Command = {
  spec: {
    name: "reboot",
    summary: "ask a guest to power itself off, then start it again",
    operands: [DOMAIN_OPERAND],
    options: [MODE_OPTION],
  },
  async run(call) {
    const { name } = await rebootGuest(call.instance, operand(call, "domain"), askingWays(call));
    call.output.print(`Domain '${name}' is being rebooted\n\n`);
    return undefined;
  },
};
