import { editDomain } from "../../../vm/define/edit-domain.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt edit DOMAIN` */
export const command: Command = {
  spec: {
    name: "edit",
    summary: "change a domain's definition with an editor",
    details: [
      "With $VISUAL, $EDITOR or vi. What it becomes is checked as by define, and counts at the next start. What is refused",
      "is kept in a file, which the error names. The editor runs where svirt does, and so it does not reach your own",
      "settings for it.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    const { isChanged, name } = await editDomain(call.node, operand(call, "domain"));
    call.output.print(`Domain '${name}' XML ${isChanged ? "configuration edited." : "not changed"}\n\n`);
    return undefined;
  },
};
