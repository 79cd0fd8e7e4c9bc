import { definePool } from "../../../vm/pool/define-pool.ts";
import {
  NEW_POOL_OPERANDS,
  NEW_POOL_OPTIONS,
  newPoolXml,
  PLACED_DETAILS,
} from "../../arguments/pool-options.ts";
import type { Command } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-define-as NAME TYPE` */
export const command: Command = {
  spec: {
    name: "pool-define-as",
    summary: "define a storage pool from options, or replace its definition",
    details: PLACED_DETAILS,
    recovery: "none",
    operands: NEW_POOL_OPERANDS,
    options: NEW_POOL_OPTIONS,
  },
  async run(call) {
    const xml = newPoolXml(call);
    if (call.options.has("print-xml")) {
      call.output.print(`${xml}\n`);
      return undefined;
    }
    const { name } = await definePool(call.instance, new TextEncoder().encode(xml));
    call.output.print(`Pool ${oneLine(name)} defined\n\n`);
    return undefined;
  },
};
