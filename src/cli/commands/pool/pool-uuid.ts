import { findPool } from "../../../vm/pool/find-pool.ts";
import { type Command, JSON_OPTION, operand, POOL_OPERAND, printJson } from "../../command.ts";

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
    if (call.options.has("json")) printJson(call, uuid);
    else call.output.print(`${uuid}\n\n`);
    return Promise.resolve(undefined);
  },
};
