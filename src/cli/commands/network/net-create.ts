import { createNetwork } from "../../../vm/network/start-network.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Command, operand, VALIDATE_OPTION } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt net-create FILE` */
export const command: Command = {
  spec: {
    name: "net-create",
    summary: "make a network active from an XML file without defining it",
    recovery: "none",
    operands: [{ name: "file", summary: "network XML: a file, or - for standard input" }],
    options: [VALIDATE_OPTION],
  },
  async run(call) {
    const file = operand(call, "file");
    const { did, name } = await createNetwork(call.instance, readInputFile(call, file));
    const result = did ? `created from ${oneLine(file)}` : "is already active";
    call.output.print(`Network ${oneLine(name)} ${result}\n\n`);
    return undefined;
  },
};
