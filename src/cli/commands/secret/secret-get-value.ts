import { getSecretValue } from "../../../vm/secret/secret-value.ts";
import { type Command, operand, SECRET_OPERAND } from "../../command.ts";

/** `svirt secret-get-value SECRET` */
export const command: Command = {
  spec: {
    name: "secret-get-value",
    summary: "print the value of a secret that is not private",
    details: "In Base64. A key for reading never gets it.",
    recovery: "none",
    operands: [SECRET_OPERAND],
    options: [{ name: "plain", summary: "print the bytes as they are, without a newline at their end" }],
  },
  run(call) {
    const value = getSecretValue(call.instance, operand(call, "secret"));
    if (call.options.has("plain")) call.output.printBytes(value);
    else call.output.print(`${value.toBase64()}\n`);
    value.fill(0);
    return Promise.resolve(undefined);
  },
};
