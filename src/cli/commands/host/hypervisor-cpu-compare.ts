import { compareGuestCpu } from "../../../vm/capabilities/cpu-models.ts";
import {
  COMPARE_OPTIONS,
  KIND_OPTIONS,
  printComparison,
  readCpuFile,
  readGuestKind,
} from "../../arguments/cpu-options.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt hypervisor-cpu-compare FILE` */
export const command: Command = {
  spec: {
    name: "hypervisor-cpu-compare",
    summary: "compare the best processor for QEMU's guests with a processor in an XML file",
    details:
      "The file has a <cpu>, or the XML of a domain, of capabilities or of domain capabilities; of several processors " +
      "the first is compared. The exit code is 1 for an incompatible processor.",
    recovery: "none",
    operands: [{ name: "file", summary: "XML with a processor: a file, or - for standard input" }],
    options: [...KIND_OPTIONS, ...COMPARE_OPTIONS],
  },
  async run(call) {
    const file = operand(call, "file");
    const kind = readGuestKind(call);
    const [description] = readCpuFile(call, file);
    const comparison = await compareGuestCpu(call.instance, kind, description);
    return printComparison(
      call,
      { comparison, file },
      {
        incompatible: "CPU described in FILE is incompatible with the CPU provided by hypervisor on the host",
        identical: "CPU described in FILE is identical to the CPU provided by hypervisor on the host",
        superset: "The CPU provided by hypervisor on the host is a superset of CPU described in FILE",
      },
    );
  },
};
