import { baselineHostCpu } from "../../../vm/capabilities/cpu-models.ts";
import {
  BASELINE_OPTIONS,
  printBaseline,
  readBaselineOptions,
  readCpuFile,
} from "../../arguments/cpu-options.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt cpu-baseline FILE` */
export const command: Command = {
  spec: {
    name: "cpu-baseline",
    summary: "print the processor with all common features of the processors in an XML file",
    details:
      "The file has <cpu> elements, or the XML of domains, of capabilities or of domain capabilities, one after " +
      "another. The model of the installed QEMU with the most of these features is chosen, and the others are listed.",
    recovery: "none",
    operands: [{ name: "file", summary: "XML with processors: a file, or - for standard input" }],
    options: BASELINE_OPTIONS,
  },
  async run(call) {
    const cpus = readCpuFile(call, operand(call, "file"));
    printBaseline(call, await baselineHostCpu(call.instance, cpus, readBaselineOptions(call)));
    return undefined;
  },
};
