import { parseDevice } from "../../../domain/device.ts";
import { attachDevice } from "../../../vm/hotplug/change-devices.ts";
import { RATE_OPTIONS } from "../../arguments/rate.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, PERSISTENT_OPTION, printChanged } from "../../device-change.ts";
import { formatInterfaceOptions } from "../../xml/interface.ts";

/** `svirt attach-interface DOMAIN TYPE SOURCE` */
export const command: Command = {
  spec: {
    name: "attach-interface",
    summary: "attach a network interface to a running or defined domain",
    details:
      "svirt creates its tap, and removes it with the interface or the guest. --inbound and --outbound are limits as by domiftune.",
    operands: [
      DOMAIN_OPERAND,
      { name: "type", summary: "network, bridge, direct, ethernet or user" },
      {
        name: "source",
        summary: "name of the network, of the bridge or of the host's device",
        isOptional: true,
      },
    ],
    options: [
      { name: "target", value: "name", summary: "name of the tap on the host" },
      { name: "mac", value: "address", summary: "MAC address; default: a new address" },
      { name: "model", value: "model", summary: "virtio, e1000e, rtl8139 and others" },
      { name: "alias", value: "name", summary: "alias with ua- at its beginning" },
      ...RATE_OPTIONS,
      { name: "managed", summary: "with type ethernet: create the tap, and remove it with the guest" },
      { name: "print-xml", summary: "print the interface's XML, and change nothing" },
      PERSISTENT_OPTION,
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const { options } = call;
    const xml = formatInterfaceOptions(operand(call, "type"), operand(call, "source"), options);
    if (options.has("print-xml")) {
      call.output.print(`${xml}\n`);
      return undefined;
    }
    const device = parseDevice(new TextEncoder().encode(xml));
    printChanged(
      call,
      await attachDevice(call.instance, askOf(call), device),
      "Interface attached successfully",
    );
    return undefined;
  },
};
