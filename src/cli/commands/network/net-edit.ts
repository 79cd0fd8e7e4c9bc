import { editNetwork } from "../../../vm/network/edit-network.ts";
import { NETWORK_OPERAND } from "../../command.ts";
import { editingCommand } from "../../editing-command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt net-edit NETWORK` */
export const command = editingCommand({
  spec: {
    name: "net-edit",
    summary: "change a network's definition with an editor",
    details:
      "The editor and the new text are treated as by edit: the text is checked as by net-define, and a refused text is kept.",
    recovery: "none",
  },
  object: NETWORK_OPERAND,
  edit: editNetwork,
  format: ({ isChanged, name }) =>
    `Network ${oneLine(name)} XML configuration ${isChanged ? "edited" : "not changed"}.`,
});
