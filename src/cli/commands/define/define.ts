import { newDefinition } from "../../../vm/define/define.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { JSON_OPTION, operand, printJson, VALIDATE_OPTION } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt define FILE` */
export const command = plannedCommand({
  spec: {
    name: "define",
    summary: "define a domain from an XML file, or replace its definition",
    details: "A running guest does not change; the definition applies from its next start.",
    operands: [{ name: "file", summary: "domain XML: a file, or - for standard input" }],
    options: [VALIDATE_OPTION, JSON_OPTION],
  },
  change: (call) => newDefinition(call.instance, readInputFile(call, operand(call, "file"))),
  report(call, defined) {
    const file = operand(call, "file");
    if (call.options.has("json")) printJson(call, defined);
    else call.output.print(`Domain '${defined.name}' defined from ${oneLine(file)}\n\n`);
  },
});
