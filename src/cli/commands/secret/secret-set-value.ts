import { SvirtError } from "../../../errors.ts";
import { readValueFile } from "../../../vm/secret/read-value.ts";
import { secretValueChange } from "../../../vm/secret/secret-value.ts";
import { type Call, operand, SECRET_OPERAND } from "../../command.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt secret-set-value SECRET --file FILE` */
export const command = plannedCommand({
  spec: {
    name: "secret-set-value",
    summary: "set the value of a secret",
    details:
      "The value comes from a file or from standard input, in Base64 or with --plain as it is. A newline at its end is a part of a plain value.\n" +
      "A value as an argument is refused: every process of the host could read it.",
    recovery: "none",
    operands: [SECRET_OPERAND],
    options: [
      { name: "file", value: "FILE", summary: "file with the value, or - for standard input" },
      { name: "plain", summary: "use the bytes of the file as they are" },
      { name: "base64", value: "VALUE", summary: "refused: all processes could read the argument" },
    ],
  },
  change: (call) => secretValueChange(operand(call, "secret"), readValue(call)),
  report: (call) => call.output.print("Secret value set\n\n"),
});

function readValue({ instance, options }: Call): Uint8Array {
  const file = options.get("file");
  if (options.has("base64")) throw refused("Passing secret value as command-line argument is insecure!");
  if (file === undefined) throw refused("Input secret value is missing");
  return readValueFile(instance, { file, isPlain: options.has("plain") });
}

/** Returns the error of a call without a usable value, in virsh's words. cmdSecretSetValue() of virsh */
function refused(message: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy: "Pass it on standard input, with --file -" });
}
