import type { CpuDescription } from "../../../domain/other-documents/cpu-description.ts";
import { SvirtError } from "../../../errors.ts";
import { baselineGuestCpu } from "../../../vm/capabilities/cpu-models.ts";
import {
  BASELINE_OPTIONS,
  KIND_OPTIONS,
  printBaseline,
  readBaselineOptions,
  readCpuFile,
  readGuestKind,
} from "../../arguments/cpu-options.ts";
import type { Call, Command } from "../../command.ts";

/** `svirt hypervisor-cpu-baseline FILE` */
export const command: Command = {
  spec: {
    name: "hypervisor-cpu-baseline",
    summary:
      "print the processor with all common features of the processors in an XML file, as far as QEMU supports them",
    details:
      "The file has <cpu> elements, or the XML of domains, of capabilities or of domain capabilities, one after " +
      "another. The model of the installed QEMU with the most of these features is chosen, and the others are listed.",
    recovery: "none",
    operands: [
      { name: "file", summary: "XML with processors: a file, or - for standard input", isOptional: true },
    ],
    options: [
      ...KIND_OPTIONS,
      { name: "model", summary: "a model without further features, instead of a file", value: "MODEL" },
      ...BASELINE_OPTIONS,
    ],
  },
  async run(call) {
    const kind = readGuestKind(call);
    const options = { ...readBaselineOptions(call), descriptions: readDescriptions(call) };
    printBaseline(call, await baselineGuestCpu(call.instance, kind, options));
    return undefined;
  },
};

function readDescriptions(call: Call): readonly CpuDescription[] {
  const [file, model] = [call.operands.get("file"), call.options.get("model")];
  if (file !== undefined && model === undefined) return readCpuFile(call, file);
  if (file === undefined && model !== undefined) return [{ model, isStrict: false, features: [] }];
  throw new SvirtError("Cannot compute a processor: a file or --model is required, and not both", {
    kind: "usage",
    remedy: "Name a file with processors, or a model: --model",
  });
}
