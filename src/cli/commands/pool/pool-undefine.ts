import { undefinePool } from "../../../vm/pool/define-pool.ts";
import { type Command, operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-undefine POOL` */
export const command: Command = {
  spec: {
    name: "pool-undefine",
    summary: "remove the definition of an inactive storage pool",
    details: "Its files stay.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [],
  },
  async run(call) {
    const { name } = await undefinePool(call.instance, operand(call, "pool"));
    call.output.print(`Pool ${oneLine(name)} has been undefined\n\n`);
    return undefined;
  },
};
