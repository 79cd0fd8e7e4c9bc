import { setUserPassword } from "../../../vm/guest-system/guest-users.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt set-user-password DOMAIN USER PASSWORD` */
export const command: Command = {
  spec: {
    name: "set-user-password",
    summary: "set the password of a user in a guest, by its agent",
    details:
      "Other users of the host see the password in the list of processes meanwhile, unless it is encrypted.",
    operands: [
      DOMAIN_OPERAND,
      { name: "user", summary: "user of the guest" },
      { name: "password", summary: "the new password" },
    ],
    options: [{ name: "encrypted", summary: "the password is encrypted already, as in shadow(5)" }],
  },
  async run(call) {
    const [key, user] = [operand(call, "domain"), operand(call, "user")];
    const isEncrypted = call.options.has("encrypted");
    await setUserPassword(call.instance, key, { user, password: operand(call, "password"), isEncrypted });
    call.output.print(`Password set successfully for ${oneLine(user)} in ${oneLine(key)}\n`);
    return undefined;
  },
};
