import { editNetwork } from "../../../vm/network/edit-network.ts";
import { type Command, NETWORK_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt net-edit NETWORK` */
export const command: Command = {
  spec: {
    name: "net-edit",
    summary: "change a network's definition with an editor",
    details:
      "The editor and the new text are treated as by edit: the text is checked as by net-define, and a refused text is kept.",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [],
  },
  async run(call) {
    const { isChanged, name } = await editNetwork(call.instance, operand(call, "network"));
    const result = isChanged ? "edited" : "not changed";
    call.output.print(`Network ${oneLine(name)} XML configuration ${result}.\n\n`);
    return undefined;
  },
};
