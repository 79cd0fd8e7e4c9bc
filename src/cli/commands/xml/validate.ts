import { formatDomain } from "../../../domain/document.ts";
import { firstErrors, type SvirtError } from "../../../errors.ts";
import { inspectLooseDomain } from "../../../resolve/complete-domain.ts";
import { MOST_BYTES } from "../../../xml/limits.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { warnOf } from "../../output/warn-of.ts";

/** `svirt validate [--print] [FILE|-]` */
export const command: Command = {
  spec: {
    name: "validate",
    summary: "check a domain's XML: whether svirt understands it, and can tell QEMU exactly what it asks for",
    details:
      "Every refusal is listed, in the order of the document, up to 100. What can be defined and is refused at a start is " +
      "a warning, and the exit code is 0; --json lists both as refusals, each with libvirt's error number. " +
      "Nothing of the host is looked at: no file that the XML names need exist. Whether the guest can start here, " +
      "svirt plan says.",
    recovery: "none",
    operands: [
      {
        name: "file",
        summary: "domain XML: a file, or - for standard input, as without it",
        isOptional: true,
      },
    ],
    options: [
      {
        name: "print",
        summary: "print it as it would be stored: with defaults, implicit devices and addresses",
      },
      JSON_OPTION,
    ],
  },
  run(call) {
    const file = call.operands.get("file") ?? "-";
    const { host } = call.node;
    const { domain, listStartErrors, ...inspected } = inspectLooseDomain(
      host,
      host.readInput(file, MOST_BYTES),
    );
    const errors = firstErrors(inspected.errors);
    const warnings = firstErrors(listStartErrors());
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
