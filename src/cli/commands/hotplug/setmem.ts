import { setMemory } from "../../../vm/tuning/set-memory.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** `svirt setmem DOMAIN SIZE` */
export const command: Command = {
  spec: {
    name: "setmem",
    summary: "change a domain's current memory; a running guest's by its balloon",
    details:
      "In KiB, or with a unit: 512MiB, 1G. The maximum is the memory at the start; dommemstat shows the progress.",
    operands: [DOMAIN_OPERAND, { name: "size", summary: "the new size" }],
    options: CHANGE_OPTIONS,
  },
  async run(call) {
    printChanged(call, await setMemory(call.instance, askOf(call), operand(call, "size")), "");
    return undefined;
  },
};
