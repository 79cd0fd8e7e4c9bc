import { getConsole } from "../../../vm/console/console-path.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt ttyconsole DOMAIN` */
export const command: Command = {
  spec: {
    name: "ttyconsole",
    summary: "print the terminal or socket of a running guest's console",
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const { device, path } = await getConsole(call.instance, operand(call, "domain"));
    if (call.options.has("json")) printJson(call, { device, path });
    else call.output.print(`${path}\n\n`);
    return undefined;
  },
};
