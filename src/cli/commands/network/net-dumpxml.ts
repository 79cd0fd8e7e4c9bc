import { getNetworkXml } from "../../../vm/network/network-facts.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand, printJson } from "../../command.ts";

/** `svirt net-dumpxml NETWORK` */
export const command: Command = {
  spec: {
    name: "net-dumpxml",
    summary: "print the XML of an active network, or of its definition",
    details:
      "With --json: the XML as a string, the network's name and uuid, and whether the XML is an active network's.",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [
      { name: "inactive", summary: "use the definition, even if the network is active" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const form = call.options.has("inactive") ? "defined" : "active";
    const shown = await getNetworkXml(call.instance, operand(call, "network"), form);
    if (call.options.has("json")) printJson(call, shown);
    else call.output.print(`${shown.xml}\n`);
    return undefined;
  },
};
