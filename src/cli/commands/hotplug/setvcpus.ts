import { SvirtError } from "../../../errors.ts";
import { setMostVcpus, setVcpus } from "../../../vm/tuning/set-vcpus.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** Maximum number of vCPUs of any machine type of QEMU. */
const MOST = 4096;

/** `svirt setvcpus DOMAIN COUNT` */
export const command: Command = {
  spec: {
    name: "setvcpus",
    summary: "change the number of a domain's virtual CPUs",
    details: [
      "A running guest can get more, up to the number in <vcpu>, and give those back, if its operating system releases",
      "them. The virtual CPUs that it was started with stay until its next start.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "count", summary: "the new number" }],
    options: [{ name: "maximum", summary: "change the maximum; only with --config" }, ...CHANGE_OPTIONS],
  },
  async run(call) {
    const count = parseWhole(operand(call, "count"), "count", [1, MOST]);
    const ask = askOf(call);
    const isMost = call.options.has("maximum");
    if (isMost && ask.options.config !== true) {
      throw new SvirtError("Option --config is required by option --maximum", {
        kind: "usage",
        remedy: `svirt setvcpus ${ask.key} ${count} --maximum --config`,
      });
    }
    const changed = await (isMost ? setMostVcpus : setVcpus)(call.instance, ask, count);
    printChanged(call, changed, "");
    return undefined;
  },
};
