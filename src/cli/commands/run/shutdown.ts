import { shutdownGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt shutdown DOMAIN` */
export const command: Command = {
  spec: {
    name: "shutdown",
    summary: "ask a guest to power itself off",
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    const { did, name } = await shutdownGuest(call.instance, operand(call, "domain"));
    call.output.print(did ? `Domain '${name}' is being shutdown\n\n` : `Domain '${name}' is not running\n\n`);
    return undefined;
  },
};
