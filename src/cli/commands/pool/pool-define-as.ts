import { poolDefinition } from "../../../vm/pool/define-pool.ts";
import {
  NEW_POOL_OPERANDS,
  NEW_POOL_OPTIONS,
  newPoolXml,
  PLACED_DETAILS,
} from "../../arguments/pool-options.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt pool-define-as NAME TYPE` */
export const command = plannedCommand({
  spec: {
    name: "pool-define-as",
    summary: "define a storage pool from options, or replace its definition",
    details: PLACED_DETAILS,
    recovery: "none",
    operands: NEW_POOL_OPERANDS,
    options: NEW_POOL_OPTIONS,
  },
  show: (call) =>
    call.options.has("print-xml") ? () => call.output.print(`${newPoolXml(call)}\n`) : undefined,
  change: (call) => poolDefinition(call.instance, new TextEncoder().encode(newPoolXml(call))),
  report(call, { name }) {
    call.output.print(`Pool ${oneLine(name)} defined\n\n`);
  },
});
