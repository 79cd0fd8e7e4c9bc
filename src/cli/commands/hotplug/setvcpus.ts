import { SvirtError } from "../../../errors.ts";
import { setMostVcpus, setVcpus } from "../../../vm/tuning/set-vcpus.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** Most vCPUs that any machine of QEMU accepts. */
const MOST = 4096;

/** `svirt setvcpus DOMAIN COUNT` */
export const command: Command = {
  spec: {
    name: "setvcpus",
    summary: "change how many virtual CPUs a domain has",
    details: [
      "A running guest gets more, up to <vcpu>'s number, and can give back those that came while it ran, if its own",
      "system lets go of them. What it was started with stays until it is started again.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "count", summary: "how many" }],
    options: [{ name: "maximum", summary: "how many there can be; only with --config" }, ...CHANGE_OPTIONS],
  },
  async run(call) {
    const count = parseWhole(operand(call, "count"), "count", [1, MOST]);
    const ask = askOf(call);
    const isMost = call.options.has("maximum");
    if (isMost && ask.wish.config !== true) {
      throw new SvirtError("Option --config is required by option --maximum", {
        kind: "usage",
        remedy: `svirt setvcpus ${ask.key} ${count} --maximum --config`,
      });
    }
    const changed = await (isMost ? setMostVcpus : setVcpus)(call.node, ask, count);
    printChanged(call, changed, "");
    return undefined;
  },
};
