import { networkCreation } from "../../../vm/network/start-network.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { operand, VALIDATE_OPTION } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt net-create FILE` */
export const command = plannedCommand({
  spec: {
    name: "net-create",
    summary: "make a network active from an XML file without defining it",
    recovery: "none",
    operands: [{ name: "file", summary: "network XML: a file, or - for standard input" }],
    options: [VALIDATE_OPTION],
  },
  change: (call) => networkCreation(readInputFile(call, operand(call, "file"))),
  report(call, { did, name }) {
    const result = did ? `created from ${oneLine(operand(call, "file"))}` : "is already active";
    call.output.print(`Network ${oneLine(name)} ${result}\n\n`);
  },
});
