import { formatDomain } from "../../../domain/document.ts";
import { completeLooseDomain } from "../../../resolve/complete-domain.ts";
import { MOST_BYTES } from "../../../xml/limits.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt validate [--print] [FILE|-]` */
export const command: Command = {
  spec: {
    name: "validate",
    summary: "check a domain's XML: whether svirt understands it, and can tell QEMU exactly what it asks for",
    details:
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
    const domain = completeLooseDomain(call.node.host, call.node.host.readInput(file, MOST_BYTES));
    if (call.options.has("print")) call.output.print(formatDomain(domain));
    else if (call.options.has("json")) printJson(call, { name: domain.name, uuid: domain.uuid });
    else call.output.print(`Domain '${domain.name}' is valid\n\n`);
    return Promise.resolve(undefined);
  },
};
