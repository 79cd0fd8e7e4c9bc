import type { DescriptionField } from "../../../vm/change/describe-domain.ts";
import {
  type NetworkAsk,
  networkDescription,
  readNetworkDescription,
} from "../../../vm/network/describe-network.ts";
import { NEW_TEXT_OPERAND, TITLE_OPTION } from "../../arguments/descriptions.ts";
import { type Call, NETWORK_OPERAND, operand } from "../../command.ts";
import { impactOf } from "../../device-change.ts";
import { NETWORK_IMPACT_OPTIONS } from "../../network-impact.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt net-desc NETWORK [TEXT...]` */
export const command = plannedCommand({
  spec: {
    name: "net-desc",
    summary: "show or set a network's description or title",
    operands: [NETWORK_OPERAND, NEW_TEXT_OPERAND],
    options: [TITLE_OPTION, ...NETWORK_IMPACT_OPTIONS],
  },
  show: (call) => (call.rest.length === 0 ? () => show(call) : undefined),
  change: (call) => networkDescription(askOf(call), { which: fieldOf(call), text: call.rest.join(" ") }),
  report: (call) => call.output.print(`Network ${fieldOf(call)} updated successfully\n`),
});

function show(call: Call): void {
  const [ask, which] = [askOf(call), fieldOf(call)];
  const nothing = `No ${which} for network: ${ask.key}`;
  call.output.print(`${readNetworkDescription(call.instance, ask, which) ?? nothing}\n`);
}

function fieldOf({ options }: Call): DescriptionField {
  return options.has("title") ? "title" : "description";
}

function askOf(call: Call): NetworkAsk {
  return { key: operand(call, "network"), options: impactOf(call) };
}
