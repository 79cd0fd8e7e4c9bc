import {
  type NetworkAsk,
  networkMetadata,
  readNetworkMetadata,
} from "../../../vm/network/describe-network.ts";
import { METADATA_OPTIONS, metadataChangeOf, URI_OPERAND } from "../../arguments/descriptions.ts";
import { type Call, NETWORK_OPERAND, operand } from "../../command.ts";
import { impactOf } from "../../device-change.ts";
import { NETWORK_IMPACT_OPTIONS } from "../../network-impact.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt net-metadata NETWORK URI` */
export const command = plannedCommand({
  spec: {
    name: "net-metadata",
    summary: "show, set or remove an application's data in a network's XML",
    details: "As metadata does for a domain.",
    operands: [NETWORK_OPERAND, URI_OPERAND],
    options: [...METADATA_OPTIONS, ...NETWORK_IMPACT_OPTIONS],
  },
  show: (call) => (metadataChangeOf(call) === undefined ? () => show(call) : undefined),
  change: (call) =>
    networkMetadata(askOf(call), { uri: operand(call, "uri"), set: metadataChangeOf(call)?.set }),
  report: (call) => call.output.print(`${metadataChangeOf(call)?.done}\n\n`),
});

function show(call: Call): void {
  const found = readNetworkMetadata(call.instance, askOf(call), operand(call, "uri"));
  call.output.print(`${found ?? ""}\n\n`);
}

function askOf(call: Call): NetworkAsk {
  return { key: operand(call, "network"), options: impactOf(call) };
}
