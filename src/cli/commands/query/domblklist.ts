import { listDisks } from "../../../vm/query/disk-list.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt domblklist DOMAIN` */
export const command: Command = {
  spec: {
    name: "domblklist",
    summary: "list a domain's disks and their sources",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "inactive", summary: "use the definition, even if the domain runs" },
      { name: "details", summary: "also show type and device" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const form = call.options.has("inactive") ? "defined" : "running";
    const disks = listDisks(call.instance, operand(call, "domain"), form);
    const rows = disks.map((disk) => ({ ...disk, source: disk.source ?? "-" }));
    if (call.options.has("json")) {
      printJson(call, rows);
    } else if (call.options.has("details")) {
      const cells = rows.map(({ device, source, target, type }) => [type, device, target, source]);
      call.output.print(formatTable(["Type", "Device", "Target", "Source"], cells));
    } else {
      call.output.print(
        formatTable(
          ["Target", "Source"],
          rows.map(({ source, target }) => [target, source]),
        ),
      );
    }
    return undefined;
  },
};
