import { planOnly } from "../../../vm/object-change/carry-out.ts";
import { createPool, poolCreation } from "../../../vm/pool/start-pool.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { START_OPTIONS, startOptionsOf } from "../../arguments/pool-options.ts";
import { type Command, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-create FILE` */
export const command: Command = {
  spec: {
    name: "pool-create",
    summary: "make a storage pool active from an XML file without defining it",
    recovery: "none",
    operands: [{ name: "file", summary: "pool XML: a file, or - for standard input" }],
    options: START_OPTIONS,
  },
  async plan(call) {
    const bytes = readInputFile(call, operand(call, "file"));
    return await planOnly(call.instance, poolCreation(call.instance, bytes, startOptionsOf(call)));
  },
  async run(call) {
    const file = operand(call, "file");
    const options = startOptionsOf(call);
    const { name } = await createPool(call.instance, readInputFile(call, file), options);
    call.output.print(`Pool ${oneLine(name)} created from ${oneLine(file)}\n\n`);
    return undefined;
  },
};
