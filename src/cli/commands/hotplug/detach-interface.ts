import { type Device, formatDevice } from "../../../domain/device.ts";
import { detachDevice } from "../../../vm/hotplug/change-devices.ts";
import { findTypedInterface } from "../../../vm/hotplug/named-interface.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, PERSISTENT_OPTION, printChanged } from "../../device-change.ts";

/** `svirt detach-interface DOMAIN TYPE` */
export const command: Command = {
  spec: {
    name: "detach-interface",
    summary: "detach a network interface from a domain, and remove its tap",
    operands: [DOMAIN_OPERAND, { name: "type", summary: "bridge, ethernet or user" }],
    options: [
      {
        name: "mac",
        value: "address",
        summary: "MAC address; required if the domain has several of the type",
      },
      { name: "print-xml", summary: "print the interface's XML, and change nothing" },
      PERSISTENT_OPTION,
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const ask = askOf(call);
    const meant = { type: operand(call, "type"), mac: call.options.get("mac") };
    const device: Device = { element: "interface", value: findTypedInterface(call.instance, ask, meant) };
    if (call.options.has("print-xml")) {
      call.output.print(`${formatDevice(device)}\n\n`);
      return undefined;
    }
    printChanged(call, await detachDevice(call.instance, ask, device), "Interface detached successfully");
    return undefined;
  },
};
