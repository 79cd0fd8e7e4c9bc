import { listFileSystems } from "../../../vm/guest-system/guest-files.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt domfsinfo DOMAIN` */
export const command: Command = {
  spec: {
    name: "domfsinfo",
    summary: "list the mounted file systems of a guest, as its agent reports them",
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const found = await listFileSystems(call.instance, operand(call, "domain"));
    if (call.options.has("json")) printJson(call, found);
    else if (found.length === 0) call.output.print("No filesystems are mounted in the domain\n");
    else
      call.output.print(
        formatTable(
          ["Mountpoint", "Name", "Type", "Target"],
          found.map(({ mountpoint, name, targets, type }) =>
            [mountpoint, name, type, targets.join(",")].map(oneLine),
          ),
        ),
      );
    return undefined;
  },
};
