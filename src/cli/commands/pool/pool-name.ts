import { findPool } from "../../../vm/pool/find-pool.ts";
import { type Command, JSON_OPTION, operand, POOL_OPERAND, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

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
    if (call.options.has("json")) printJson(call, name);
    else call.output.print(`${oneLine(name)}\n\n`);
    return Promise.resolve(undefined);
  },
};
