import { SvirtError } from "../../../errors.ts";
import { readNetworkMetadata, writeNetworkMetadata } from "../../../vm/network/describe-network.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Command, NETWORK_OPERAND, operand } from "../../command.ts";
import { impactOf } from "../../device-change.ts";
import { NETWORK_IMPACT_OPTIONS } from "../../network-impact.ts";

/** `svirt net-metadata NETWORK URI` */
export const command: Command = {
  spec: {
    name: "net-metadata",
    summary: "show, set or remove an application's data in a network's XML",
    details: "As metadata does for a domain.",
    operands: [NETWORK_OPERAND, { name: "uri", summary: "URI of the namespace" }],
    options: [
      { name: "set", summary: "the new element", value: "XML" },
      { name: "key", summary: "the prefix that the element gets; required with --set", value: "KEY" },
      { name: "remove", summary: "remove the element" },
      ...NETWORK_IMPACT_OPTIONS,
    ],
  },
  async run(call) {
    const uri = operand(call, "uri");
    const ask = { key: operand(call, "network"), options: impactOf(call) };
    const [key, xml] = [call.options.get("key"), call.options.get("set")];
    const change = onlyOne(call, ["set", "remove"]);
    if (change === undefined) {
      call.output.print(`${readNetworkMetadata(call.instance, ask, uri) ?? ""}\n\n`);
      return undefined;
    }
    if (xml !== undefined && key === undefined)
      throw new SvirtError("namespace key is required when modifying metadata", {
        kind: "usage",
        remedy: "Give the prefix: --key KEY",
      });
    const set = xml === undefined || key === undefined ? undefined : { key, xml };
    await writeNetworkMetadata(call.instance, ask, { uri, set });
    call.output.print(`Metadata ${change === "remove" ? "removed" : "modified"}\n\n`);
    return undefined;
  },
};
