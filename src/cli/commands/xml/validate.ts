import { formatDomain } from "../../../domain/document.ts";
import type { SvirtError } from "../../../errors.ts";
import { validateDomain } from "../../../vm/define/validate.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { warnOf } from "../../output/warn-of.ts";

/** `svirt validate [--print] [FILE|-]` */
export const command: Command = {
  spec: {
    name: "validate",
    summary: "check whether svirt understands a domain's XML and can translate all of it for QEMU",
    details:
      "Lists every refusal, in the order of the document, up to 100. A refusal only by a start, not by define, is " +
      "a warning, and the exit code is 0; --json lists both as refusals, each with libvirt's error number. " +
      "Does not read the host: no file named by the XML need exist. svirt plan checks whether the guest can start " +
      "here.",
    recovery: "none",
    operands: [
      {
        name: "file",
        summary: "domain XML: a file, or - for standard input, the default",
        isOptional: true,
      },
    ],
    options: [
      {
        name: "print",
        summary: "print the XML as define stores it: with defaults, implicit devices and addresses",
      },
      JSON_OPTION,
    ],
  },
  run(call) {
    const file = call.operands.get("file") ?? "-";
    const validated = validateDomain(call.instance, readInputFile(call, file));
    const { domain, errors, startErrors: warnings } = validated;
    if (call.options.has("print")) {
      if (domain !== undefined) call.output.print(formatDomain(domain));
    } else if (call.options.has("json")) {
      const refusals = [...errors.map(refusalBy("define")), ...warnings.map(refusalBy("start"))];
      printJson(call, { name: domain?.name, uuid: domain?.uuid, refusals });
    } else if (domain !== undefined) call.output.print(`Domain '${domain.name}' is valid\n\n`);
    warnOf(call, "error", errors);
    warnOf(call, "warning", warnings);
    return Promise.resolve(errors[0]?.exitCode);
  },
};

/** Returns the JSON form of a refusal by a command. */
function refusalBy(by: "define" | "start"): (error: SvirtError) => object {
  return ({ kind, libvirt, message, place, remedy }) => ({ by, kind, libvirt, place, message, remedy });
}
