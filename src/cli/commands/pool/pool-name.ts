import { findPool } from "../../../vm/pool/find-pool.ts";
import { type Command, JSON_OPTION, operand, POOL_OPERAND } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt pool-name POOL` */
export const command: Command = {
  spec: {
    name: "pool-name",
    summary: "print the name of a storage pool",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const { name } = findPool(call.instance, operand(call, "pool"));
    printValue(call, name);
    return Promise.resolve(undefined);
  },
};
