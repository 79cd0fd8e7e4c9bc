import { domainRenaming } from "../../../vm/define/rename-domain.ts";
import { DOMAIN_OPERAND, operand } from "../../command.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt domrename DOMAIN NEW-NAME` */
export const command = plannedCommand({
  spec: {
    name: "domrename",
    summary: "give a domain that is off another name",
    details:
      "Its UUID, label, autostart and files stay, also the path of UEFI variables that has the old name. A domain with a\n" +
      "managed save is refused.",
    operands: [DOMAIN_OPERAND, { name: "new-name", summary: "the new name" }],
    options: [],
  },
  change: (call) => domainRenaming(call.instance, operand(call, "domain"), operand(call, "new-name")),
  report: (call) => call.output.print("Domain successfully renamed\n\n"),
});
