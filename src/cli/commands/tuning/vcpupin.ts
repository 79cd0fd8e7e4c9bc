import type { Domain } from "../../../domain/domain.ts";
import { parsePin, replaceVcpuPin } from "../../../domain/edits/tuning.ts";
import { cpuSet } from "../../../domain/forms/id-set.ts";
import { SvirtError } from "../../../errors.ts";
import { changeShares } from "../../../vm/tuning/change-limits.ts";
import { listVcpuPins } from "../../../vm/tuning/pins.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Call, type Command, DOMAIN_OPERAND, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";
import { formatTable } from "../../output/table.ts";

/** Highest vCPU number of any machine of QEMU. */
const MOST = 4095;

/** `svirt vcpupin DOMAIN [VCPU [CPULIST]]` */
export const command: Command = {
  spec: {
    name: "vcpupin",
    summary: "show or set the processors for a virtual CPU",
    operands: [
      DOMAIN_OPERAND,
      { name: "vcpu", summary: "number of the virtual CPU; default: show all", isOptional: true },
      {
        name: "cpulist",
        summary: "0-3,^2, or r for all; without it, the setting is shown",
        isOptional: true,
      },
    ],
    options: CHANGE_OPTIONS,
  },
  async run(call) {
    const given = call.operands.get("vcpu");
    const vcpu = given === undefined ? undefined : parseWhole(given, "vcpu", [0, MOST]);
    const list = call.operands.get("cpulist");
    if (list === undefined) {
      show(call, vcpu);
      return undefined;
    }
    if (vcpu === undefined) {
      throw new SvirtError("vcpupin: Missing vCPU number in pin mode.", {
        kind: "usage",
        remedy: "Write --vcpu 0.",
      });
    }
    const cpus = parsePin(list);
    const options = {
      what: `pin vcpu ${vcpu}`,
      change: (domain: Domain) => replaceVcpuPin(domain, vcpu, cpus),
    };
    printChanged(call, await changeShares(call.instance, askOf(call), options), "");
    return undefined;
  },
};

function show(call: Call, vcpu: number | undefined): void {
  const rows = listVcpuPins(call.instance, askOf(call), vcpu).map((pin) => ({
    vcpu: pin.vcpu,
    cpus: cpuSet.encode(pin.cpus),
  }));
  if (call.options.has("json")) printJson(call, rows);
  else
    call.output.print(
      formatTable(
        ["VCPU", "CPU Affinity"],
        rows.map(({ cpus, vcpu: number }) => [String(number), cpus]),
      ),
    );
}
