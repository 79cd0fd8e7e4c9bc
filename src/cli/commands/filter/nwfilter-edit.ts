import { editFilter } from "../../../vm/network/define-filter.ts";
import { FILTER_OPERAND } from "../../command.ts";
import { editingCommand } from "../../editing-command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt nwfilter-edit NWFILTER` */
export const command = editingCommand({
  spec: {
    name: "nwfilter-edit",
    summary: "change the definition of a filter of interfaces with an editor",
    details:
      "The editor and the new text are treated as by edit: the text is checked as by nwfilter-define, and a refused text is kept.",
  },
  object: FILTER_OPERAND,
  edit: editFilter,
  format: ({ isChanged, name }) =>
    `Network filter ${oneLine(name)} XML configuration ${isChanged ? "edited" : "not changed"}.`,
});
