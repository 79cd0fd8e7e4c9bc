import { getLinkState } from "../../../vm/query/interface-list.ts";
import { INTERFACE_OPERAND } from "../../arguments/interface-operand.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt domif-getlink DOMAIN INTERFACE` */
export const command: Command = {
  spec: {
    name: "domif-getlink",
    summary: "show the link state of a network interface",
    operands: [DOMAIN_OPERAND, INTERFACE_OPERAND],
    options: [{ name: "config", summary: "use the definition, even if the domain runs" }, JSON_OPTION],
  },
  async run(call) {
    const name = operand(call, "interface");
    const form = call.options.has("config") ? "defined" : "running";
    const state = getLinkState(call.instance, operand(call, "domain"), { form, name }) ?? "up";
    if (call.options.has("json")) printJson(call, { interface: name, state });
    else call.output.print(`${name} ${state}\n`);
    return undefined;
  },
};
