import { listAuthorizedKeys } from "../../../vm/guest-system/guest-users.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt get-user-sshkeys DOMAIN USER` */
export const command: Command = {
  spec: {
    name: "get-user-sshkeys",
    summary: "list a user's keys for login to a guest by SSH, by its agent",
    operands: [DOMAIN_OPERAND, { name: "user", summary: "user of the guest" }],
    options: [],
  },
  async run(call) {
    const keys = await listAuthorizedKeys(call.instance, operand(call, "domain"), operand(call, "user"));
    for (const key of keys) call.output.print(`${oneLine(key)}\n`);
    return undefined;
  },
};
