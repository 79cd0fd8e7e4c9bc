import { refreshPool } from "../../../vm/pool/start-pool.ts";
import { type Command, operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-refresh POOL` */
export const command: Command = {
  spec: {
    name: "pool-refresh",
    summary: "check the folder or the source of an active storage pool again",
    details:
      "A pool becomes inactive if its folder or source is gone, or if its folder is not a place for guests' files any more.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [],
  },
  async run(call) {
    const { name } = await refreshPool(call.instance, operand(call, "pool"));
    call.output.print(`Pool ${oneLine(name)} refreshed\n\n`);
    return undefined;
  },
};
