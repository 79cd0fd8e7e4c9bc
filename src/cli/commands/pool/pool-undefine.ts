import { poolRemoval } from "../../../vm/pool/define-pool.ts";
import { operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt pool-undefine POOL` */
export const command = plannedCommand({
  spec: {
    name: "pool-undefine",
    summary: "remove the definition of an inactive storage pool",
    details: "Its files stay.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [],
  },
  change: (call) => poolRemoval(operand(call, "pool")),
  report(call, { name }) {
    call.output.print(`Pool ${oneLine(name)} has been undefined\n\n`);
  },
});
