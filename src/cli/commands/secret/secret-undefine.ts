import { undefineSecret } from "../../../vm/secret/define-secret.ts";
import { type Command, operand, SECRET_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt secret-undefine SECRET` */
export const command: Command = {
  spec: {
    name: "secret-undefine",
    summary: "remove a secret with its value",
    recovery: "none",
    operands: [SECRET_OPERAND],
    options: [],
  },
  async run(call) {
    const secret = operand(call, "secret");
    await undefineSecret(call.instance, secret);
    call.output.print(`Secret ${oneLine(secret)} deleted\n\n`);
    return undefined;
  },
};
