import { secretDefinition } from "../../../vm/secret/define-secret.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { JSON_OPTION, operand, printJson } from "../../command.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt secret-define FILE` */
export const command = plannedCommand({
  spec: {
    name: "secret-define",
    summary: "define a secret from an XML file, or replace its definition",
    details:
      "The value is set by secret-set-value, and stays if the definition is replaced. The value of an ephemeral secret is in memory, until the host is switched off.",
    recovery: "none",
    operands: [{ name: "file", summary: "secret XML: a file, or - for standard input" }],
    options: [
      { name: "validate", summary: "as always: XML forbidden by libvirt's schema is refused" },
      JSON_OPTION,
    ],
  },
  change: (call) => secretDefinition(readInputFile(call, operand(call, "file"))),
  report(call, { uuid }) {
    if (call.options.has("json")) printJson(call, { uuid });
    else call.output.print(`Secret ${uuid} created\n\n`);
  },
});
