import { undefineFilter } from "../../../vm/network/define-filter.ts";
import { type Command, FILTER_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt nwfilter-undefine NWFILTER` */
export const command: Command = {
  spec: {
    name: "nwfilter-undefine",
    summary: "remove the definition of a filter of interfaces that no running guest has",
    operands: [FILTER_OPERAND],
    options: [],
  },
  async run(call) {
    const key = operand(call, "nwfilter");
    await undefineFilter(call.instance, key);
    call.output.print(`Network filter ${oneLine(key)} undefined\n\n`);
    return undefined;
  },
};
