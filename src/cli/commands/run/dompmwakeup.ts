import { wakeGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt dompmwakeup DOMAIN` */
export const command: Command = {
  spec: {
    name: "dompmwakeup",
    summary: "wake a guest suspended to memory by itself",
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    const { name } = await wakeGuest(call.instance, operand(call, "domain"));
    call.output.print(`Domain '${name}' successfully woken up\n`);
    return undefined;
  },
};
