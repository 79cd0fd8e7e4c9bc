import { secretRemoval } from "../../../vm/secret/define-secret.ts";
import { operand, SECRET_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt secret-undefine SECRET` */
export const command = plannedCommand({
  spec: {
    name: "secret-undefine",
    summary: "remove a secret with its value",
    recovery: "none",
    operands: [SECRET_OPERAND],
    options: [],
  },
  change: (call) => secretRemoval(operand(call, "secret")),
  report: (call) => call.output.print(`Secret ${oneLine(operand(call, "secret"))} deleted\n\n`),
});
