import { defineFilter } from "../../../vm/network/define-filter.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Command, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt nwfilter-define FILE` */
export const command: Command = {
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
  async run(call) {
    const file = operand(call, "file");
    const defined = await defineFilter(call.instance, readInputFile(call, file));
    if (call.options.has("json")) printJson(call, defined);
    else call.output.print(`Network filter ${defined.name} defined from ${oneLine(file)}\n\n`);
    return undefined;
  },
};
