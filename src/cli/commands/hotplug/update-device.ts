import { updateDevice } from "../../../vm/hotplug/change-devices.ts";
import type { Command } from "../../command.ts";
import {
  askOf,
  CHANGE_OPTIONS,
  DEVICE_OPERANDS,
  PERSISTENT_OPTION,
  printChanged,
  readDevice,
} from "../../device-change.ts";

/** `svirt update-device DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "update-device",
    summary: "change the medium of a drive, or the link, packet filter or limits of a network interface",
    details: "Every other field must have the value shown by svirt dumpxml.",
    operands: DEVICE_OPERANDS,
    options: [
      { name: "force", summary: "even if the guest has locked the tray" },
      PERSISTENT_OPTION,
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const device = readDevice(call);
    const to = { device, force: call.options.has("force") };
    printChanged(call, await updateDevice(call.instance, askOf(call), to), "Device updated successfully");
    return undefined;
  },
};
