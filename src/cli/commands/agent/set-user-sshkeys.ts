import { SvirtError } from "../../../errors.ts";
import { changeAuthorizedKeys } from "../../../vm/guest-system/guest-users.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt set-user-sshkeys DOMAIN USER [FILE]` */
export const command: Command = {
  spec: {
    name: "set-user-sshkeys",
    summary: "change a user's keys for login to a guest by SSH, by its agent",
    details: "The keys are added to the user's present keys.",
    operands: [
      DOMAIN_OPERAND,
      { name: "user", summary: "user of the guest" },
      { name: "file", summary: "keys, a line each: a file, or - for standard input", isOptional: true },
    ],
    options: [
      { name: "reset", summary: "remove the user's other keys; without a file, all keys" },
      { name: "remove", summary: "remove these keys" },
    ],
  },
  async run(call) {
    const change = onlyOne(call, ["reset", "remove"]) ?? "append";
    const file = call.operands.get("file");
    if (file === undefined && change !== "reset")
      throw new SvirtError("Option --file is required", {
        kind: "usage",
        remedy: "Name a file with the keys.",
      });
    if (file !== undefined && file !== "-" && call.instance.isForKey === true)
      throw new SvirtError(
        `Cannot read ${file}: this key may run only svirt, and the guest would get the file`,
        {
          kind: "denied",
          remedy: "Send the keys: ssh NODE svirt set-user-sshkeys DOMAIN USER - <FILE",
        },
      );
    const text = file === undefined ? "" : new TextDecoder().decode(readInputFile(call, file));
    const keys = text.split("\n").filter((line) => line.trim() !== "");
    await changeAuthorizedKeys(call.instance, operand(call, "domain"), {
      user: operand(call, "user"),
      keys,
      change,
    });
    return undefined;
  },
};
