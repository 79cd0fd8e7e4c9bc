import { rebootGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt reboot DOMAIN` */
export const command: Command = {
  spec: {
    name: "reboot",
    summary: "ask a guest to power itself off, then start it again",
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    const { name } = await rebootGuest(call.instance, operand(call, "domain"));
    call.output.print(`Domain '${name}' is being rebooted\n\n`);
    return undefined;
  },
};
