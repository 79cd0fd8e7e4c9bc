import type { NetworkInterface } from "../../../domain/devices/network/interface.ts";
import { parseDomainText } from "../../../domain/document.ts";
import { findDomain } from "../../../vm/guest/find-domain.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt domiflist DOMAIN` */
export const command: Command = {
  spec: {
    name: "domiflist",
    summary: "list a domain's network interfaces and their sources",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "inactive", summary: "use the definition, even if the domain runs" }, JSON_OPTION],
  },
  async run(call) {
    const { definition, guest } = findDomain(call.node, operand(call, "domain"));
    const running = call.options.has("inactive") ? undefined : guest?.xml;
    const xml = running ?? definition?.xml ?? guest?.xml ?? "";
    const rows = parseDomainText(xml).devices.interfaces.map((found) => ({
      interface: found.target?.dev ?? "-",
      type: found.type,
      source: sourceName(found),
      model: found.model?.type ?? "-",
      mac: found.mac?.address ?? "-",
    }));
    if (call.options.has("json")) {
      printJson(call, rows);
      return undefined;
    }
    const cells = rows.map(({ interface: name, mac, model, source, type }) => [
      name,
      type,
      source,
      model,
      mac,
    ]);
    call.output.print(formatTable(["Interface", "Type", "Source", "Model", "MAC"], cells));
    return undefined;
  },
};

/** Returns the source as virsh shows it. */
function sourceName(found: NetworkInterface): string {
  switch (found.type) {
    case "network":
      return found.source.network;
    case "bridge":
      return found.source.bridge;
    case "direct":
    case "vdpa":
      return found.source.dev;
    default:
      return "-";
  }
}
