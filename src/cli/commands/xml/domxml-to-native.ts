import { SvirtError } from "../../../errors.ts";
import { getNativeCommand } from "../../../vm/query/native-command.ts";
import { formatShellCommand } from "../../../vm/query/shell-command.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Call, type Command, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt domxml-to-native qemu-argv FILE` */
export const command: Command = {
  spec: {
    name: "domxml-to-native",
    summary: "print QEMU's command line for a domain, as libvirt writes it",
    details:
      "Does not read the host: no file named by the XML need exist. A start passes open descriptors instead of paths, " +
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
    const words = getNativeCommand(call.instance, subjectOf(call));
    if (call.options.has("json")) printJson(call, words);
    else call.output.print(`${formatShellCommand(words)}\n\n`);
    return Promise.resolve(undefined);
  },
};

function subjectOf(call: Call): Parameters<typeof getNativeCommand>[1] {
  const [file, key] = [call.operands.get("xml"), call.options.get("domain")];
  if ((file === undefined) === (key === undefined)) {
    throw usage("command 'domxml-to-native' requires either <xml> or --domain");
  }
  return file === undefined ? { key: key ?? "" } : { xml: readInputFile(call, file) };
}

function usage(message: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy: "See: svirt domxml-to-native --help" });
}
