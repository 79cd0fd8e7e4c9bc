import { editDomain } from "../../../vm/define/edit-domain.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt edit DOMAIN` */
export const command: Command = {
  spec: {
    name: "edit",
    summary: "change a domain's definition with an editor",
    details: [
      "Starts $VISUAL, $EDITOR or vi. The new text is checked as by define and applies from the next start. A refused text is",
      "kept in a file named by the error. The editor runs in svirt's SELinux domain, which cannot read the settings in your",
      "home folder.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    const { isChanged, name } = await editDomain(call.instance, operand(call, "domain"));
    call.output.print(`Domain '${name}' XML ${isChanged ? "configuration edited." : "not changed"}\n\n`);
    return undefined;
  },
};
