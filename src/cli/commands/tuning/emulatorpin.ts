import type { Domain } from "../../../domain/domain.ts";
import { parsePin, replaceEmulatorPin } from "../../../domain/edits/tuning.ts";
import { cpuSet } from "../../../domain/forms/id-set.ts";
import { changeShares } from "../../../vm/tuning/change-limits.ts";
import { getEmulatorPin } from "../../../vm/tuning/pins.ts";
import { type Call, type Command, DOMAIN_OPERAND, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** `svirt emulatorpin DOMAIN [CPULIST]` */
export const command: Command = {
  spec: {
    name: "emulatorpin",
    summary: "show or set the processors for QEMU's threads other than vCPUs",
    operands: [
      DOMAIN_OPERAND,
      {
        name: "cpulist",
        summary: "0-3,^2, or r for all; without it, the setting is shown",
        isOptional: true,
      },
    ],
    options: CHANGE_OPTIONS,
  },
  async run(call) {
    const list = call.operands.get("cpulist");
    if (list === undefined) {
      show(call);
      return undefined;
    }
    const cpus = parsePin(list);
    const options = {
      what: "pin the emulator",
      change: (domain: Domain) => replaceEmulatorPin(domain, cpus),
    };
    printChanged(call, await changeShares(call.instance, askOf(call), options), "");
    return undefined;
  },
};

/** Prints CPUs as virsh does. cmdEmulatorPin() of libvirt's tools/virsh-domain.c */
function show(call: Call): void {
  const cpus = cpuSet.encode(getEmulatorPin(call.instance, askOf(call)));
  if (call.options.has("json")) printJson(call, { cpus });
  else call.output.print(`emulator: CPU Affinity\n${"-".repeat(34)}\n       *: ${cpus}\n\n`);
}
