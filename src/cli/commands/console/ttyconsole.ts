import { findConsole } from "../../../vm/console/find-console.ts";
import { findRunning } from "../../../vm/guest/find-domain.ts";
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
    const { guest } = findRunning(call.instance, operand(call, "domain"));
    const { facts, id } = await findConsole(call.instance, guest, undefined);
    if (call.options.has("json")) printJson(call, { device: id, path: facts.id.path });
    else call.output.print(`${facts.id.path}\n\n`);
    return undefined;
  },
};
