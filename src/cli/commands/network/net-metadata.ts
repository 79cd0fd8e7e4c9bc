import { readNetworkMetadata, writeNetworkMetadata } from "../../../vm/network/describe-network.ts";
import { METADATA_OPTIONS, metadataChangeOf, URI_OPERAND } from "../../arguments/descriptions.ts";
import { type Command, NETWORK_OPERAND, operand } from "../../command.ts";
import { impactOf } from "../../device-change.ts";
import { NETWORK_IMPACT_OPTIONS } from "../../network-impact.ts";

/** `svirt net-metadata NETWORK URI` */
export const command: Command = {
  spec: {
    name: "net-metadata",
    summary: "show, set or remove an application's data in a network's XML",
    details: "As metadata does for a domain.",
    operands: [NETWORK_OPERAND, URI_OPERAND],
    options: [...METADATA_OPTIONS, ...NETWORK_IMPACT_OPTIONS],
  },
  async run(call) {
    const uri = operand(call, "uri");
    const ask = { key: operand(call, "network"), options: impactOf(call) };
    const change = metadataChangeOf(call);
    if (change === undefined) {
      call.output.print(`${readNetworkMetadata(call.instance, ask, uri) ?? ""}\n\n`);
      return undefined;
    }
    await writeNetworkMetadata(call.instance, ask, { uri, set: change.set });
    call.output.print(change.done);
    return undefined;
  },
};
