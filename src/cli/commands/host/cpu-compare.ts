import { compareHostCpu } from "../../../vm/capabilities/cpu-models.ts";
import { COMPARE_OPTIONS, printComparison, readCpuFile } from "../../arguments/cpu-options.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt cpu-compare FILE` */
export const command: Command = {
  spec: {
    name: "cpu-compare",
    summary: "compare the host's processor with a processor in an XML file",
    details:
      "The file has a <cpu>, or the XML of a domain, of capabilities or of domain capabilities; of several processors " +
      "the first is compared. The host's processor is the processor available to guests by KVM, with the features known to the " +
      "installed QEMU. Without KVM no processor is compatible. The exit code is 1 for an incompatible processor.",
    recovery: "none",
    operands: [{ name: "file", summary: "XML with a processor: a file, or - for standard input" }],
    options: COMPARE_OPTIONS,
  },
  async run(call) {
    const file = operand(call, "file");
    const [description] = readCpuFile(call, file);
    const comparison = await compareHostCpu(call.instance, description);
    return printComparison(
      call,
      { comparison, file },
      {
        incompatible: "CPU described in FILE is incompatible with host CPU",
        identical: "CPU described in FILE is identical to host CPU",
        superset: "Host CPU is a superset of CPU described in FILE",
      },
    );
  },
};
