import { planOnly } from "../../../vm/object-change/carry-out.ts";
import { createPool, poolCreation } from "../../../vm/pool/start-pool.ts";
import {
  NEW_POOL_OPERANDS,
  NEW_POOL_OPTIONS,
  newPoolXml,
  PLACED_DETAILS,
  START_OPTIONS,
  startOptionsOf,
} from "../../arguments/pool-options.ts";
import type { Command } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-create-as NAME TYPE` */
export const command: Command = {
  spec: {
    name: "pool-create-as",
    summary: "make a storage pool active from options without defining it",
    details: PLACED_DETAILS,
    recovery: "none",
    operands: NEW_POOL_OPERANDS,
    options: [...NEW_POOL_OPTIONS, ...START_OPTIONS],
  },
  async plan(call) {
    const bytes = new TextEncoder().encode(newPoolXml(call));
    return await planOnly(call.instance, poolCreation(call.instance, bytes, startOptionsOf(call)));
  },
  async run(call) {
    const options = startOptionsOf(call);
    const xml = newPoolXml(call);
    if (call.options.has("print-xml")) {
      call.output.print(`${xml}\n`);
      return undefined;
    }
    const { name } = await createPool(call.instance, new TextEncoder().encode(xml), options);
    call.output.print(`Pool ${oneLine(name)} created\n\n`);
    return undefined;
  },
};
