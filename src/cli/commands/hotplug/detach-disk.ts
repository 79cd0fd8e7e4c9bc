import { type Device, formatDevice } from "../../../domain/device.ts";
import { detachDevice } from "../../../vm/hotplug/change-devices.ts";
import { findNamedDisk } from "../../../vm/hotplug/named-disk.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, PERSISTENT_OPTION, printChanged } from "../../device-change.ts";

/** `svirt detach-disk DOMAIN TARGET` */
export const command: Command = {
  spec: {
    name: "detach-disk",
    summary: "detach a disk from a domain, and restore its labels",
    details:
      "The guest has 5 seconds to release the disk. If it takes longer, the label stays, and the next command about the guest,\n" +
      "or svirt recover, completes the change after the release.",
    operands: [DOMAIN_OPERAND, { name: "target", summary: "the disk's target or source: vdb, or a path" }],
    options: [
      { name: "print-xml", summary: "print the disk's XML, and change nothing" },
      PERSISTENT_OPTION,
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const ask = askOf(call);
    const value = findNamedDisk(call.instance, ask, { name: operand(call, "target"), isDrive: false });
    const device: Device = { element: "disk", value };
    if (call.options.has("print-xml")) {
      call.output.print(`${formatDevice(device)}\n\n`);
      return undefined;
    }
    printChanged(call, await detachDevice(call.instance, ask, device), "Disk detached successfully");
    return undefined;
  },
};
