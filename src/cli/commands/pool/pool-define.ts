import { poolDefinition } from "../../../vm/pool/define-pool.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { JSON_OPTION, operand, printJson, VALIDATE_OPTION } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt pool-define FILE` */
export const command = plannedCommand({
  spec: {
    name: "pool-define",
    summary: "define a storage pool from an XML file, or replace its definition",
    details:
      "An active pool does not change; the definition applies from its next start. The target must be a folder where guests may\n" +
      "write, or may be made there, and neither inside of another pool's nor around it.",
    recovery: "none",
    operands: [{ name: "file", summary: "pool XML: a file, or - for standard input" }],
    options: [VALIDATE_OPTION, JSON_OPTION],
  },
  change: (call) => poolDefinition(call.instance, readInputFile(call, operand(call, "file"))),
  report(call, defined) {
    const from = oneLine(operand(call, "file"));
    if (call.options.has("json")) printJson(call, defined);
    else call.output.print(`Pool ${oneLine(defined.name)} defined from ${from}\n\n`);
  },
});
