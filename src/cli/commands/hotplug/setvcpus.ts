import { SvirtError } from "../../../errors.ts";
import { setGuestVcpuCount } from "../../../vm/guest-system/guest-vcpus.ts";
import { setMostVcpus, setVcpus } from "../../../vm/tuning/set-vcpus.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
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
      "A running guest can get more, up to the number in <vcpu>, and give them back, if its operating system releases",
      "them. The virtual CPUs of its start stay until its next start.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "count", summary: "the new number" }],
    options: [
      { name: "maximum", summary: "change the maximum; only with --config" },
      { name: "guest", summary: "change how many the guest's system uses, by its agent" },
      { name: "hotpluggable", summary: "new virtual CPUs can be removed again; not of a definition" },
      ...CHANGE_OPTIONS,
    ],
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
    if (onlyOne(call, ["guest", "config"]) === "guest") {
      await setGuestVcpuCount(call.instance, ask.key, count);
      call.output.print("\n");
      return undefined;
    }
    const isHotpluggable = call.options.has("hotpluggable");
    const changed = await (isMost
      ? setMostVcpus(call.instance, ask, count)
      : setVcpus(call.instance, { ...ask, isHotpluggable }, count));
    printChanged(call, changed, "");
    return undefined;
  },
};
