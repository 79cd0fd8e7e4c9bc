import { showSecret } from "../../../vm/secret/show-secret.ts";
import { type Command, JSON_OPTION, operand, printJson, SECRET_OPERAND } from "../../command.ts";

/** `svirt secret-dumpxml SECRET` */
export const command: Command = {
  spec: {
    name: "secret-dumpxml",
    summary: "print the XML of a secret, without its value",
    recovery: "none",
    operands: [SECRET_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const { uuid, xml } = showSecret(call.instance, operand(call, "secret"));
    if (call.options.has("json")) printJson(call, { uuid, xml });
    else call.output.print(`${xml}\n`);
    return Promise.resolve(undefined);
  },
};
