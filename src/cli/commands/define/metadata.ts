import { readMetadata, writeMetadata } from "../../../vm/change/describe-domain.ts";
import { METADATA_OPTIONS, metadataChangeOf, URI_OPERAND } from "../../arguments/descriptions.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION } from "../../crash-drill.ts";
import { askOf, IMPACT_OPTIONS, printChanged } from "../../device-change.ts";
import { DRY_RUN_OPTION } from "../../label-changes.ts";

/** `svirt metadata DOMAIN URI` */
export const command: Command = {
  spec: {
    name: "metadata",
    summary: "show, set or remove an application's data in a domain's XML",
    details:
      "An application owns the element of <metadata> in its namespace. It is set and shown without this namespace.",
    operands: [DOMAIN_OPERAND, URI_OPERAND],
    options: [...METADATA_OPTIONS, ...IMPACT_OPTIONS, DRY_RUN_OPTION, CRASH_OPTION],
  },
  async run(call) {
    const [ask, uri] = [askOf(call), operand(call, "uri")];
    const change = metadataChangeOf(call);
    if (change === undefined) {
      call.output.print(`${readMetadata(call.instance, ask, uri) ?? ""}\n\n`);
      return undefined;
    }
    printChanged(call, await writeMetadata(call.instance, ask, { uri, set: change.set }), change.done);
    return undefined;
  },
};
