import { SvirtError } from "../../../errors.ts";
import { getGuestHostname } from "../../../vm/guest-system/guest-hostname.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt domhostname DOMAIN` */
export const command: Command = {
  spec: {
    name: "domhostname",
    summary: "show a guest's name for itself, by its agent or its DHCP lease",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "source", summary: "agent (the default) or lease", value: "SOURCE" }, JSON_OPTION],
  },
  async run(call) {
    const source = call.options.get("source") ?? "agent";
    if (source !== "agent" && source !== "lease")
      throw new SvirtError(`Unknown data source '${source}'`, {
        kind: "usage",
        remedy: "Use agent or lease.",
      });
    const name = await getGuestHostname(call.instance, operand(call, "domain"), source);
    printValue(call, name);
    return undefined;
  },
};
