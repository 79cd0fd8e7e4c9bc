import { undefineDomain } from "../../vm/define.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../command.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt undefine DOMAIN` */
export const command: Command = {
  spec: {
    name: "undefine",
    summary: "forget a domain's definition; a running guest goes on without",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "managed-save", summary: "and the state that svirt managedsave has left" }],
  },
  async run(call) {
    await sweepFirst(call);
    const { name } = await undefineDomain(call.node, operand(call, "domain"), {
      managedSave: call.options.has("managed-save"),
    });
    call.output.print(`Domain '${name}' has been undefined\n\n`);
    return undefined;
  },
};
