import type { Disk } from "../../../domain/devices/disk/disk.ts";
import { parseDomainText } from "../../../domain/document.ts";
import { findDomain } from "../../../vm/guest/find-domain.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt domblklist DOMAIN` */
export const command: Command = {
  spec: {
    name: "domblklist",
    summary: "the disks of a domain and where they lie",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "inactive", summary: "as it is defined, even while it runs" },
      { name: "details", summary: "with type and device" },
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
