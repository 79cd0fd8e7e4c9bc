import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { parseDomainText } from "../../../domain/document.ts";
import { findDomain } from "../../../vm/guest/find-domain.ts";
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
    const { definition, guest } = findDomain(call.node, operand(call, "domain"));
    const xml = call.options.has("inactive")
      ? (definition?.xml ?? guest?.xml)
      : (guest?.xml ?? definition?.xml);
    const disks = parseDomainText(xml ?? "").devices?.disks ?? [];
    const rows = disks.map((disk) => {
      const source = disk.source === undefined ? "-" : sourceName(disk.source);
      return { type: disk.type, device: disk.device ?? "disk", target: disk.target.dev, source };
    });
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

/** Returns the source as virsh shows it, by its kind. */
function sourceName(source: NonNullable<Disk["source"]>): string {
  if ("file" in source) return source.file;
  if ("dev" in source) return source.dev;
  if ("dir" in source) return source.dir;
  if ("protocol" in source) return source.name ?? "-";
  if ("volume" in source) return source.volume;
  return "path" in source ? source.path : "-";
}
