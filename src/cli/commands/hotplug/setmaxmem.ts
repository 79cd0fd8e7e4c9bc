import { setMostMemory } from "../../../vm/tuning/set-memory.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** `svirt setmaxmem DOMAIN SIZE` */
export const command: Command = {
  spec: {
    name: "setmaxmem",
    summary: "change a domain's maximum memory, from its next start on",
    details: "In KiB, or with a unit: 512MiB, 1G.",
    operands: [DOMAIN_OPERAND, { name: "size", summary: "the new maximum" }],
    options: CHANGE_OPTIONS,
  },
  async run(call) {
    printChanged(call, await setMostMemory(call.instance, askOf(call), operand(call, "size")), "");
    return undefined;
  },
};
