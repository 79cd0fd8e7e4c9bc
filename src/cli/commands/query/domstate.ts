import { getDomainState } from "../../../vm/query/domain-state.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt domstate DOMAIN` */
export const command: Command = {
  spec: {
    name: "domstate",
    summary: "show the state of a domain",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "reason", summary: "also show the reason" }, JSON_OPTION],
  },
  async run(call) {
    const { reason, state } = await getDomainState(call.instance, operand(call, "domain"));
    if (call.options.has("json")) printJson(call, { state, reason });
    else call.output.print(call.options.has("reason") ? `${state} (${reason})\n\n` : `${state}\n\n`);
    return undefined;
  },
};
