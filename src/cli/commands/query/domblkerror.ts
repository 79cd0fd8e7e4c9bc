import { listDiskErrors } from "../../../vm/query/disk-errors.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt domblkerror DOMAIN` */
export const command: Command = {
  spec: {
    name: "domblkerror",
    summary: "list the disks of a guest with full or failing storage",
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const errors = await listDiskErrors(call.instance, operand(call, "domain"));
    const lines = errors.map(({ error, target }) => `${target}: ${error}\n`);
    if (call.options.has("json")) printJson(call, errors);
    else call.output.print(lines.length === 0 ? "No errors found\n\n" : `${lines.join("")}\n`);
    return undefined;
  },
};
