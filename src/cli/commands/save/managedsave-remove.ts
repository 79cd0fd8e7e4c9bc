import { discardManagedSave } from "../../../vm/save/save-domain.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt managedsave-remove DOMAIN` */
export const command: Command = {
  spec: {
    name: "managedsave-remove",
    summary: "remove the state saved by svirt managedsave: the next start boots the guest",
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    const { did, name } = discardManagedSave(call.instance, operand(call, "domain"));
    call.output.print(
      did
        ? `Removed managedsave image for domain '${name}'\n\n`
        : `Domain '${name}' has no manage save image; removal skipped\n`,
    );
    return undefined;
  },
};
