import { planResumption, resumeGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt resume DOMAIN` */
export const command: Command = {
  spec: { name: "resume", summary: "resume a guest's vCPUs", operands: [DOMAIN_OPERAND], options: [] },
  plan: async (call) => await planResumption(call.instance, operand(call, "domain")),
  async run(call) {
    const { name } = await resumeGuest(call.instance, operand(call, "domain"));
    call.output.print(`Domain '${name}' resumed\n\n`);
    return undefined;
  },
};
