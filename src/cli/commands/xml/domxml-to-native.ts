import type { Domain } from "../../../domain/domain.ts";
import { SvirtError } from "../../../errors.ts";
import { formatVariables } from "../../../qemu/command-line.ts";
import { formatArgv } from "../../../qemu/domain-argv.ts";
import { completeLooseDomain } from "../../../resolve/complete-domain.ts";
import { findDomain } from "../../../vm/guest/find-domain.ts";
import { MOST_BYTES } from "../../../xml/limits.ts";
import { type Call, type Command, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatShellCommand } from "../../output/shell-command.ts";

/** `svirt domxml-to-native qemu-argv FILE` */
export const command: Command = {
  spec: {
    name: "domxml-to-native",
    summary: "print QEMU's command line for a domain, as libvirt writes it",
    details:
      "Does not read the host: no file that the XML names need exist. A start passes open descriptors instead of paths, " +
      "and adds the confinement; svirt plan shows both.",
    recovery: "none",
    operands: [
      { name: "format", summary: "qemu-argv" },
      { name: "xml", summary: "domain XML: a file, or - for standard input", isOptional: true },
    ],
    options: [
      { name: "domain", summary: "a defined domain instead of a file", value: "name, id or uuid" },
      JSON_OPTION,
    ],
  },
  run(call) {
    const format = operand(call, "format");
    if (format !== "qemu-argv") throw usage(`invalid argument: unsupported config type ${format}`);
    const domain = readDomain(call);
    const words = [...formatVariables(domain), ...formatArgv(domain)];
    if (call.options.has("json")) printJson(call, words);
    else call.output.print(`${formatShellCommand(words)}\n\n`);
    return Promise.resolve(undefined);
  },
};

function readDomain({ instance, operands, options }: Call): Domain {
  const [file, key] = [operands.get("xml"), options.get("domain")];
  if ((file === undefined) === (key === undefined)) {
    throw usage("command 'domxml-to-native' requires either <xml> or --domain");
  }
  if (file !== undefined)
    return completeLooseDomain(instance.host, instance.host.readInput(file, MOST_BYTES));
  const { definition, guest } = findDomain(instance, key ?? "");
  return completeLooseDomain(instance.host, new TextEncoder().encode(definition?.xml ?? guest?.xml ?? ""));
}

function usage(message: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy: "See: svirt domxml-to-native --help" });
}
