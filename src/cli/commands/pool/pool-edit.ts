import { editPool } from "../../../vm/pool/define-pool.ts";
import { type Command, operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-edit POOL` */
export const command: Command = {
  spec: {
    name: "pool-edit",
    summary: "change a storage pool's definition with an editor",
    details:
      "The editor and the new text are treated as by edit: the text is checked as by pool-define, and a refused text is kept.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [],
  },
  async run(call) {
    const { isChanged, name } = await editPool(call.instance, operand(call, "pool"));
    const result = isChanged ? "edited" : "not changed";
    call.output.print(`Pool ${oneLine(name)} XML configuration ${result}.\n\n`);
    return undefined;
  },
};
