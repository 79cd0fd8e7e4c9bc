import { parseDomainText } from "../../../domain/document.ts";
import { findDomain } from "../../../vm/guest/find-domain.ts";
import { findInterface } from "../../../vm/guest/guest-interfaces.ts";
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
    const { definition, guest } = findDomain(call.node, operand(call, "domain"));
    const running = call.options.has("config") ? undefined : guest?.xml;
    const { interfaces } = parseDomainText(running ?? definition?.xml ?? guest?.xml ?? "").devices;
    const key = operand(call, "interface");
    // virsh prints "default" if there is no <link>: the link is up then.
    const state = findInterface(interfaces, key).link?.state ?? "default";
    if (call.options.has("json")) printJson(call, { interface: key, state });
    else call.output.print(`${key} ${state}\n`);
    return undefined;
  },
};
