import { SvirtError } from "../../../errors.ts";
import { readMetadata, writeMetadata } from "../../../vm/change/describe-domain.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, IMPACT_OPTIONS } from "../../device-change.ts";

/** `svirt metadata DOMAIN URI` */
export const command: Command = {
  spec: {
    name: "metadata",
    summary: "show, set or remove an application's data in a domain's XML",
    details:
      "An application owns the element of <metadata> in its namespace. It is set and shown without that namespace.",
    operands: [DOMAIN_OPERAND, { name: "uri", summary: "URI of the namespace" }],
    options: [
      { name: "set", summary: "the new element", value: "XML" },
      { name: "key", summary: "the prefix that the element gets; required with --set", value: "KEY" },
      { name: "remove", summary: "remove the element" },
      ...IMPACT_OPTIONS,
    ],
  },
  async run(call) {
    const [ask, uri] = [askOf(call), operand(call, "uri")];
    const [key, xml] = [call.options.get("key"), call.options.get("set")];
    const change = onlyOne(call, ["set", "remove"]);
    if (change === undefined) {
      call.output.print(`${readMetadata(call.instance, ask, uri) ?? ""}\n\n`);
      return undefined;
    }
    if (xml !== undefined && key === undefined)
      throw new SvirtError("namespace key is required when modifying metadata", {
        kind: "usage",
        remedy: "Give the prefix: --key KEY",
      });
    const set = xml === undefined || key === undefined ? undefined : { key, xml };
    await writeMetadata(call.instance, ask, { uri, set });
    call.output.print(`Metadata ${change === "remove" ? "removed" : "modified"}\n\n`);
    return undefined;
  },
};
