import { planOnly } from "../../../vm/object-change/carry-out.ts";
import { poolEnd } from "../../../vm/pool/end-pool.ts";
import { destroyPool } from "../../../vm/pool/start-pool.ts";
import { type Command, operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-destroy POOL` */
export const command: Command = {
  spec: {
    name: "pool-destroy",
    summary: "make a storage pool inactive",
    details:
      "Its files stay, and guests keep their disks. A pool without a definition is gone. A pool of type fs or netfs is unmounted, and\n" +
      "refused while a guest or a program uses a file of it. The volumes of a pool of type logical are deactivated, unless any is used.\n" +
      "An inactive pool is logged out or deactivated if an interrupted start or end has left that to do.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [],
  },
  plan: async (call) => await planOnly(call.instance, poolEnd(call.instance, operand(call, "pool"))),
  async run(call) {
    const { name } = await destroyPool(call.instance, operand(call, "pool"));
    call.output.print(`Pool ${oneLine(name)} destroyed\n\n`);
    return undefined;
  },
};
