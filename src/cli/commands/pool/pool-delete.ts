import { planOnly } from "../../../vm/object-change/carry-out.ts";
import { deletePool, poolRemoval } from "../../../vm/pool/delete-pool.ts";
import { type Command, operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-delete POOL` */
export const command: Command = {
  spec: {
    name: "pool-delete",
    summary: "remove the empty folder or volume group of an inactive storage pool",
    details: "A folder with files and a volume group with volumes are refused. The definition stays.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [],
  },
  plan: async (call) => await planOnly(call.instance, poolRemoval(call.instance, operand(call, "pool"))),
  async run(call) {
    const { name } = await deletePool(call.instance, operand(call, "pool"));
    call.output.print(`Pool ${oneLine(name)} deleted\n\n`);
    return undefined;
  },
};
