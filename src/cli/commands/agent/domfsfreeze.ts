import { freezeFileSystems } from "../../../vm/guest-system/guest-files.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt domfsfreeze DOMAIN [MOUNTPOINT...]` */
export const command: Command = {
  spec: {
    name: "domfsfreeze",
    summary: "have a guest write its file systems to disk and stop writing, by its agent",
    details: "They stay frozen until svirt domfsthaw, and writing programs in the guest wait.",
    operands: [
      DOMAIN_OPERAND,
      {
        name: "mountpoint",
        summary: "mount point in the guest; default: all file systems",
        isOptional: true,
        isRepeated: true,
      },
    ],
    options: [],
  },
  async run(call) {
    const count = await freezeFileSystems(call.instance, operand(call, "domain"), call.rest);
    call.output.print(`Froze ${count} filesystem(s)\n\n`);
    return undefined;
  },
};
