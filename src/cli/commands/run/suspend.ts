import { planSuspension, suspendGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt suspend DOMAIN` */
export const command: Command = {
  spec: { name: "suspend", summary: "pause a guest's vCPUs", operands: [DOMAIN_OPERAND], options: [] },
  plan: async (call) => planSuspension(call.instance, operand(call, "domain")),
  async run(call) {
    const { name } = await suspendGuest(call.instance, operand(call, "domain"));
    call.output.print(`Domain '${name}' suspended\n\n`);
    return undefined;
  },
};
