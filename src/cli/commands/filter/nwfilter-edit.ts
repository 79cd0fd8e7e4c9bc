import { editFilter } from "../../../vm/network/define-filter.ts";
import { type Command, FILTER_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt nwfilter-edit NWFILTER` */
export const command: Command = {
  spec: {
    name: "nwfilter-edit",
    summary: "change the definition of a filter of interfaces with an editor",
    details:
      "The editor and the new text are treated as by edit: the text is checked as by nwfilter-define, and a refused text is kept.",
    operands: [FILTER_OPERAND],
    options: [],
  },
  async run(call) {
    const { isChanged, name } = await editFilter(call.instance, operand(call, "nwfilter"));
    const result = isChanged ? "edited" : "not changed";
    call.output.print(`Network filter ${oneLine(name)} XML configuration ${result}.\n\n`);
    return undefined;
  },
};
