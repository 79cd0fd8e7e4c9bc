import { resetGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt reset DOMAIN` */
export const command: Command = {
  spec: {
    name: "reset",
    summary: "reset a guest's machine, as by its button",
    details: "The guest's system is not asked, and may lose data. QEMU, its definition and its label stay.",
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    const { name } = await resetGuest(call.instance, operand(call, "domain"));
    call.output.print(`Domain '${name}' was reset\n\n`);
    return undefined;
  },
};
