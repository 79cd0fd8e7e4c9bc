import { type Bandwidth, changeBandwidth, readBandwidth } from "../../../vm/hotplug/bandwidth.ts";
import { INTERFACE_OPERAND } from "../../arguments/interface-operand.ts";
import { RATE_OPTIONS, readRates } from "../../arguments/rate.ts";
import { type Command, DOMAIN_OPERAND, operand, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";
import { formatParameters } from "../../output/typed-parameters.ts";

/** `svirt domiftune DOMAIN INTERFACE` */
export const command: Command = {
  spec: {
    name: "domiftune",
    summary: "show or set the limits of a network interface",
    details:
      "A limit is average,peak,burst: kilobytes per second twice, and KiB; --inbound has a fourth number, the guaranteed share (floor).\n" +
      "Missing numbers are 0. An average of 0 means no limit.",
    operands: [DOMAIN_OPERAND, INTERFACE_OPERAND],
    options: [...RATE_OPTIONS, ...CHANGE_OPTIONS],
  },
  async run(call) {
    const name = operand(call, "interface");
    const rates = readRates(call.options);
    if (Object.keys(rates).length === 0) {
      const bandwidth = readBandwidth(call.instance, askOf(call), name);
      if (call.options.has("json")) printJson(call, bandwidth);
      else call.output.print(formatParameters(listParameters(bandwidth)));
      return undefined;
    }
    const change = { name, ...rates };
    printChanged(call, await changeBandwidth(call.instance, askOf(call), change), "");
    return undefined;
  },
};

/** Lists virsh's parameters. qemuDomainGetInterfaceParameters() of libvirt */
function listParameters({ inbound, outbound }: Bandwidth): readonly (readonly [string, string])[] {
  return [
    ["inbound.average", String(inbound?.average ?? 0)],
    ["inbound.peak", String(inbound?.peak ?? 0)],
    ["inbound.burst", String(inbound?.burst ?? 0)],
    ["inbound.floor", String(inbound?.floor ?? 0)],
    ["outbound.average", String(outbound?.average ?? 0)],
    ["outbound.peak", String(outbound?.peak ?? 0)],
    ["outbound.burst", String(outbound?.burst ?? 0)],
  ];
}
