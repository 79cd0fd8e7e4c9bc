import { readMetadata, writeMetadata } from "../../../vm/change/describe-domain.ts";
import { METADATA_OPTIONS, metadataChangeOf, URI_OPERAND } from "../../arguments/descriptions.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, IMPACT_OPTIONS } from "../../device-change.ts";

/** `svirt metadata DOMAIN URI` */
export const command: Command = {
  spec: {
    name: "metadata",
    summary: "show, set or remove an application's data in a domain's XML",
    details:
      "An application owns the element of <metadata> in its namespace. It is set and shown without this namespace.",
    operands: [DOMAIN_OPERAND, URI_OPERAND],
    options: [...METADATA_OPTIONS, ...IMPACT_OPTIONS],
  },
  async run(call) {
    const [ask, uri] = [askOf(call), operand(call, "uri")];
    const change = metadataChangeOf(call);
    if (change === undefined) {
      call.output.print(`${readMetadata(call.instance, ask, uri) ?? ""}\n\n`);
      return undefined;
    }
    await writeMetadata(call.instance, ask, { uri, set: change.set });
    call.output.print(change.done);
    return undefined;
  },
};
