import { renameDomain } from "../../../vm/define/rename-domain.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt domrename DOMAIN NEW-NAME` */
export const command: Command = {
  spec: {
    name: "domrename",
    summary: "give a domain that is off another name",
    details:
      "Its UUID, label, autostart and files stay, also the path of UEFI variables that has the old name. A domain with a\n" +
      "managed save is refused.",
    operands: [DOMAIN_OPERAND, { name: "new-name", summary: "the new name" }],
    options: [],
  },
  async run(call) {
    await renameDomain(call.instance, operand(call, "domain"), operand(call, "new-name"));
    call.output.print("Domain successfully renamed\n\n");
    return undefined;
  },
};
