import { networkDefinition } from "../../../vm/network/define-network.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { JSON_OPTION, operand, printJson, VALIDATE_OPTION } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt net-define FILE` */
export const command = plannedCommand({
  spec: {
    name: "net-define",
    summary: "define a network from an XML file, or replace its definition",
    details: "An active network does not change; the definition applies from its next start.",
    recovery: "none",
    operands: [{ name: "file", summary: "network XML: a file, or - for standard input" }],
    options: [VALIDATE_OPTION, JSON_OPTION],
  },
  change: (call) => networkDefinition(readInputFile(call, operand(call, "file"))),
  report(call, defined) {
    const from = oneLine(operand(call, "file"));
    if (call.options.has("json")) printJson(call, defined);
    else call.output.print(`Network ${oneLine(defined.name)} defined from ${from}\n\n`);
  },
});
