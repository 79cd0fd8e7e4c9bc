import { setMemory } from "../../../vm/tuning/set-memory.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, IMPACT_OPTIONS } from "../../device-change.ts";

/** `svirt setmem DOMAIN SIZE` */
export const command: Command = {
  spec: {
    name: "setmem",
    summary: "change how much of its memory a domain has: a running guest is asked through its balloon",
    details:
      "In KiB, or with a unit: 512MiB, 1G. At most what the guest was started with; dommemstat tells how far it is.",
    operands: [DOMAIN_OPERAND, { name: "size", summary: "how much the guest is to have" }],
    options: IMPACT_OPTIONS,
  },
  async run(call) {
    await setMemory(call.node, askOf(call), operand(call, "size"));
    return undefined;
  },
};
