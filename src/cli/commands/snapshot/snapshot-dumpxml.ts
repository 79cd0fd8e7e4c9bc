import { type Command, DOMAIN_OPERAND, JSON_OPTION, printJson } from "../../command.ts";
import { CURRENT_OPTION, SNAPSHOT_OPERAND, snapshotOf } from "../../snapshot-options.ts";

/** `svirt snapshot-dumpxml DOMAIN SNAPSHOT` */
export const command: Command = {
  spec: {
    name: "snapshot-dumpxml",
    summary: "print the XML of a snapshot, with the domain at its time",
    operands: [DOMAIN_OPERAND, SNAPSHOT_OPERAND],
    options: [
      CURRENT_OPTION,
      { name: "security-info", summary: "include passwords; svirt stores none" },
      JSON_OPTION,
    ],
  },
  run(call) {
    const { name, xml } = snapshotOf(call).snapshot;
    if (call.options.has("json")) printJson(call, { name, xml });
    else call.output.print(`${xml}\n`);
    return Promise.resolve(undefined);
  },
};
