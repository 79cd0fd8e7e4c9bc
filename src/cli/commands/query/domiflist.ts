import { listInterfaces } from "../../../vm/query/interface-list.ts";
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
    const form = call.options.has("inactive") ? "defined" : "running";
    const rows = listInterfaces(call.instance, operand(call, "domain"), form).map((found) => ({
      interface: found.interface ?? "-",
      type: found.type,
      source: found.source ?? "-",
      model: found.model ?? "-",
      mac: found.mac ?? "-",
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
