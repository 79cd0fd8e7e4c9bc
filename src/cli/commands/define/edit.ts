import { editDomain } from "../../../vm/define/edit-domain.ts";
import { DOMAIN_OPERAND } from "../../command.ts";
import { editingCommand } from "../../editing-command.ts";

/** `svirt edit DOMAIN` */
export const command = editingCommand({
  spec: {
    name: "edit",
    summary: "change a domain's definition with an editor",
    details: [
      "Starts $VISUAL, $EDITOR or vi. The new text is checked as by define and applies from the next start. A refused text is",
      "kept in a file named by the error. The editor runs in svirt's SELinux domain, which cannot read the settings in your",
      "home folder. --dry-run and svirt plan edit also start the editor, print the steps, and drop the new text.",
    ].join("\n"),
  },
  object: DOMAIN_OPERAND,
  edit: editDomain,
  format: ({ isChanged, name }) =>
    `Domain '${name}' XML ${isChanged ? "configuration edited." : "not changed"}`,
});
