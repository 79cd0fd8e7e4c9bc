import { managedSaveRemoval } from "../../../vm/save/save-domain.ts";
import { DOMAIN_OPERAND, operand } from "../../command.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt managedsave-remove DOMAIN` */
export const command = plannedCommand({
  spec: {
    name: "managedsave-remove",
    summary: "remove the state saved by svirt managedsave: the next start boots the guest",
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  change: (call) => managedSaveRemoval(operand(call, "domain")),
  report(call, { did, name }) {
    call.output.print(
      did
        ? `Removed managedsave image for domain '${name}'\n\n`
        : `Domain '${name}' has no manage save image; removal skipped\n`,
    );
  },
});
