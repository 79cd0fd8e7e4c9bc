import { filterDefinition } from "../../../vm/network/define-filter.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt nwfilter-define FILE` */
export const command = plannedCommand({
  spec: {
    name: "nwfilter-define",
    summary: "define a filter of interfaces from an XML file, or replace its definition",
    details: "A running guest's filter is not replaced.",
    operands: [{ name: "file", summary: "filter XML: a file, or - for standard input" }],
    options: [
      { name: "validate", summary: "refuse XML that libvirt's schema does not allow; svirt always does so" },
      JSON_OPTION,
    ],
  },
  change: (call) => filterDefinition(readInputFile(call, operand(call, "file"))),
  report(call, defined) {
    const from = oneLine(operand(call, "file"));
    if (call.options.has("json")) printJson(call, defined);
    else call.output.print(`Network filter ${defined.name} defined from ${from}\n\n`);
  },
});
