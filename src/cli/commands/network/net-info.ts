import { getNetworkFacts } from "../../../vm/network/network-facts.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatFacts } from "../../output/table.ts";
import { yesNo } from "../../output/yes-no.ts";

/** `svirt net-info NETWORK` */
export const command: Command = {
  spec: {
    name: "net-info",
    summary: "show a network's properties and state",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const facts = getNetworkFacts(call.instance, operand(call, "network"));
    const { active, autostart, bridge, name, persistent, uuid } = facts;
    if (call.options.has("json")) printJson(call, facts);
    else {
      call.output.print(
        formatFacts([
          ["Name", oneLine(name)],
          ["UUID", uuid],
          ["Active", yesNo(active)],
          ["Persistent", yesNo(persistent)],
          ["Autostart", yesNo(autostart)],
          ["Bridge", bridge === undefined ? undefined : oneLine(bridge)],
        ]),
      );
    }
    return Promise.resolve(undefined);
  },
};
