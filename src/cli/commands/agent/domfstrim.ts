import { trimFileSystems } from "../../../vm/guest-system/guest-files.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt domfstrim DOMAIN` */
export const command: Command = {
  spec: {
    name: "domfstrim",
    summary: "have a guest discard unused blocks of its disks, by its agent",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "minimum", summary: "ignore smaller free areas", value: "BYTES" }],
  },
  async run(call) {
    const minimum = call.options.get("minimum") ?? "0";
    const bytes = parseWhole(minimum, "minimum", [0, Number.MAX_SAFE_INTEGER]);
    await trimFileSystems(call.instance, operand(call, "domain"), BigInt(bytes));
    return undefined;
  },
};
