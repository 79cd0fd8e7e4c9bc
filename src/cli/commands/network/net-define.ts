import { defineNetwork } from "../../../vm/network/define-network.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Command, JSON_OPTION, operand, printJson, VALIDATE_OPTION } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt net-define FILE` */
export const command: Command = {
  spec: {
    name: "net-define",
    summary: "define a network from an XML file, or replace its definition",
    details: "An active network does not change; the definition applies from its next start.",
    recovery: "none",
    operands: [{ name: "file", summary: "network XML: a file, or - for standard input" }],
    options: [VALIDATE_OPTION, JSON_OPTION],
  },
  async run(call) {
    const file = operand(call, "file");
    const defined = await defineNetwork(call.instance, readInputFile(call, file));
    if (call.options.has("json")) printJson(call, defined);
    else call.output.print(`Network ${oneLine(defined.name)} defined from ${oneLine(file)}\n\n`);
    return undefined;
  },
};
