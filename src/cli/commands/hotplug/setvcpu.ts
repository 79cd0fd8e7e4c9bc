import { cpuSet } from "../../../domain/forms/id-set.ts";
import { SvirtError } from "../../../errors.ts";
import { setVcpu } from "../../../vm/tuning/set-vcpu.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** `svirt setvcpu DOMAIN VCPULIST` */
export const command: Command = {
  spec: {
    name: "setvcpu",
    summary: "enable or disable single virtual CPUs of a domain",
    details: [
      "Only the first disabled virtual CPU can be enabled, and the last enabled virtual CPU disabled. A virtual CPU of a running guest changes,",
      "or several of a definition.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "vcpulist", summary: "numbers of virtual CPUs, such as 1 or 1-3" }],
    options: [
      { name: "enable", summary: "enable them" },
      { name: "disable", summary: "disable them" },
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const form = onlyOne(call, ["enable", "disable"]);
    if (form === undefined) throw usage("one of --enable, --disable is required", "Give one of the two.");
    const list = operand(call, "vcpulist");
    const ids = cpuSet.decode(list);
    if (ids === undefined)
      throw usage(`invalid argument: Failed to parse bitmap '${list}'`, `Name ${cpuSet.expects}.`);
    printChanged(call, await setVcpu(call.instance, askOf(call), { ids, isEnabled: form === "enable" }), "");
    return undefined;
  },
};

function usage(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy });
}
