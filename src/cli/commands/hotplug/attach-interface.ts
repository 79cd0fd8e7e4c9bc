import { parseDevice } from "../../../domain/device.ts";
import { attachDevice } from "../../../vm/hotplug/change-devices.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, PERSISTENT_OPTION, printChanged } from "../../device-change.ts";
import { formatInterfaceOptions } from "../../xml/interface.ts";

/** `svirt attach-interface DOMAIN TYPE SOURCE` */
export const command: Command = {
  spec: {
    name: "attach-interface",
    summary: "give a domain a network interface, while it runs or not",
    details: "Its tap is made and put on its bridge, and goes with the interface or with its guest.",
    operands: [
      DOMAIN_OPERAND,
      { name: "type", summary: "bridge, ethernet or user" },
      { name: "source", summary: "name of the bridge", isOptional: true },
    ],
    options: [
      { name: "target", value: "name", summary: "what the tap is called on the host" },
      { name: "mac", value: "address", summary: "the guest's address; without it, a new one" },
      { name: "model", value: "model", summary: "virtio, e1000e, rtl8139 and others" },
      { name: "alias", value: "name", summary: "a name of yours that begins with ua-" },
      { name: "managed", summary: "with type ethernet: the tap is made, and goes with the guest" },
      { name: "print-xml", summary: "print the interface's XML, and change nothing" },
      PERSISTENT_OPTION,
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const { options } = call;
    const xml = formatInterfaceOptions(operand(call, "type"), operand(call, "source"), options);
    if (options.has("print-xml")) {
      call.output.print(`${xml}\n\n`);
      return undefined;
    }
    const device = parseDevice(new TextEncoder().encode(xml));
    printChanged(call, await attachDevice(call.node, askOf(call), device), "Interface attached successfully");
    return undefined;
  },
};
