import { readNetworkDescription, writeNetworkDescription } from "../../../vm/network/describe-network.ts";
import { NEW_TEXT_OPERAND, TITLE_OPTION } from "../../arguments/descriptions.ts";
import { type Command, NETWORK_OPERAND, operand } from "../../command.ts";
import { impactOf } from "../../device-change.ts";
import { NETWORK_IMPACT_OPTIONS } from "../../network-impact.ts";

/** `svirt net-desc NETWORK [TEXT...]` */
export const command: Command = {
  spec: {
    name: "net-desc",
    summary: "show or set a network's description or title",
    operands: [NETWORK_OPERAND, NEW_TEXT_OPERAND],
    options: [TITLE_OPTION, ...NETWORK_IMPACT_OPTIONS],
  },
  async run(call) {
    const which = call.options.has("title") ? "title" : "description";
    const ask = { key: operand(call, "network"), options: impactOf(call) };
    if (call.rest.length === 0) {
      const nothing = `No ${which} for network: ${ask.key}`;
      call.output.print(`${readNetworkDescription(call.instance, ask, which) ?? nothing}\n`);
      return undefined;
    }
    await writeNetworkDescription(call.instance, ask, { which, text: call.rest.join(" ") });
    call.output.print(`Network ${which} updated successfully\n`);
    return undefined;
  },
};
