import { getIdentity } from "../../../vm/query/domain-identity.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt domid DOMAIN` */
export const command: Command = {
  spec: {
    name: "domid",
    summary: "print the id of a running domain",
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const value = getIdentity(call.instance, operand(call, "domain")).id ?? "-";
    printValue(call, value);
    return undefined;
  },
};
