import { setGuestMemory } from "../../vm/ask-guest.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../command.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt setmem DOMAIN SIZE` */
export const command: Command = {
  spec: {
    name: "setmem",
    summary: "ask a running guest to give memory back, or give it back to it, by its balloon",
    details:
      "In KiB, or with a unit: 512MiB, 1G. At most what the guest was started with; dommemstat tells how far it is.",
    operands: [DOMAIN_OPERAND, { name: "size", summary: "how much the guest is to have" }],
    options: [],
  },
  async run(call) {
    await sweepFirst(call);
    await setGuestMemory(call.node, operand(call, "domain"), operand(call, "size"));
    return undefined;
  },
};
