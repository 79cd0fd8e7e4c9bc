import { filterRemoval } from "../../../vm/network/define-filter.ts";
import { FILTER_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt nwfilter-undefine NWFILTER` */
export const command = plannedCommand({
  spec: {
    name: "nwfilter-undefine",
    summary: "remove the definition of a filter of interfaces that no running guest has",
    operands: [FILTER_OPERAND],
    options: [],
  },
  change: (call) => filterRemoval(operand(call, "nwfilter")),
  report(call) {
    call.output.print(`Network filter ${oneLine(operand(call, "nwfilter"))} undefined\n\n`);
  },
});
