import { SvirtError } from "../../../errors.ts";
import { type Command, DOMAIN_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { CURRENT_OPTION, SNAPSHOT_OPERAND, snapshotOf } from "../../snapshot-options.ts";

/** `svirt snapshot-parent DOMAIN SNAPSHOT` */
export const command: Command = {
  spec: {
    name: "snapshot-parent",
    summary: "print the name of the snapshot before a snapshot",
    operands: [DOMAIN_OPERAND, SNAPSHOT_OPERAND],
    options: [CURRENT_OPTION],
  },
  run(call) {
    const { name, parent } = snapshotOf(call).snapshot;
    if (parent === undefined) {
      throw new SvirtError(`snapshot '${name}' has no parent`, {
        kind: "not-found",
        remedy: "svirt snapshot-list DOMAIN --parent lists the parents.",
      });
    }
    call.output.print(`${oneLine(parent)}\n`);
    return Promise.resolve(undefined);
  },
};
