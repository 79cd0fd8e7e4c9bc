import { findDomain } from "../../../vm/guest/find-domain.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt domname DOMAIN` */
export const command: Command = {
  spec: {
    name: "domname",
    summary: "print the name of a domain",
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const found = findDomain(call.instance, operand(call, "domain"));
    const value = found.name;
    if (call.options.has("json")) printJson(call, value);
    else call.output.print(`${value}\n\n`);
    return undefined;
  },
};
