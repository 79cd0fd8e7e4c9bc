import { formatPoolOptions } from "../../../storage/pool/pool-options.ts";
import { definePool } from "../../../vm/pool/define-pool.ts";
import { NEW_POOL_OPERANDS, NEW_POOL_OPTIONS } from "../../arguments/pool-options.ts";
import { type Command, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-define-as NAME TYPE` */
export const command: Command = {
  spec: {
    name: "pool-define-as",
    summary: "define a storage pool from options, or replace its definition",
    recovery: "none",
    operands: NEW_POOL_OPERANDS,
    options: NEW_POOL_OPTIONS,
  },
  async run(call) {
    const xml = formatPoolOptions(operand(call, "name"), operand(call, "type"), call.options);
    if (call.options.has("print-xml")) {
      call.output.print(`${xml}\n`);
      return undefined;
    }
    const { name } = await definePool(call.instance, new TextEncoder().encode(xml));
    call.output.print(`Pool ${oneLine(name)} defined\n\n`);
    return undefined;
  },
};
