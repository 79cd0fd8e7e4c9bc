import { findPool } from "../../../vm/pool/find-pool.ts";
import { type Command, JSON_OPTION, operand, POOL_OPERAND } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt pool-uuid POOL` */
export const command: Command = {
  spec: {
    name: "pool-uuid",
    summary: "print the uuid of a storage pool",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const { uuid } = findPool(call.instance, operand(call, "pool"));
    printValue(call, uuid);
    return Promise.resolve(undefined);
  },
};
