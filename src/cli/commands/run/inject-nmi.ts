import { injectNmi } from "../../../vm/lifecycle/ask-guest.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt inject-nmi DOMAIN` */
export const command: Command = {
  spec: {
    name: "inject-nmi",
    summary: "send a non-maskable interrupt to a guest, for debugging",
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    await injectNmi(call.instance, operand(call, "domain"));
    call.output.print("\n");
    return undefined;
  },
};
