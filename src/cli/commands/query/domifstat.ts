import { getInterfaceStatistics } from "../../../vm/query/interface-statistics.ts";
import { INTERFACE_OPERAND } from "../../arguments/interface-operand.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt domifstat DOMAIN INTERFACE` */
export const command: Command = {
  spec: {
    name: "domifstat",
    summary: "show the traffic statistics of a running guest's network interface",
    details:
      "Received and transmitted as the guest sees it. Only taps have counters; user networking has none.",
    operands: [DOMAIN_OPERAND, INTERFACE_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const { device, statistics: is } = getInterfaceStatistics(
      call.instance,
      operand(call, "domain"),
      operand(call, "interface"),
    );
    if (call.options.has("json")) {
      printJson(call, { interface: device, statistics: is });
      return undefined;
    }
    const lines = [
      ["rx_bytes", is.rxBytes],
      ["rx_packets", is.rxPackets],
      ["rx_errs", is.rxErrors],
      ["rx_drop", is.rxDropped],
      ["tx_bytes", is.txBytes],
      ["tx_packets", is.txPackets],
      ["tx_errs", is.txErrors],
      ["tx_drop", is.txDropped],
    ].map(([name, value]) => `${device} ${name} ${value}\n`);
    call.output.print(`${lines.join("")}\n`);
    return undefined;
  },
};
