import { attachDevice } from "../../../vm/hotplug/change-devices.ts";
import type { Command } from "../../command.ts";
import {
  askOf,
  CHANGE_OPTIONS,
  DEVICE_OPERANDS,
  PERSISTENT_OPTION,
  printChanged,
  readDevice,
} from "../../device-change.ts";

/** `svirt attach-device DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "attach-device",
    summary: "attach a device to a running or defined domain",
    details:
      "Takes a <disk>, an <interface>, an <rng>, a <controller> of type scsi, a <channel> of type unix without a path (the\n" +
      "guest agent's) or with mode='connect', or a <hostdev> (pci, mdev, usb, scsi). A running guest takes an interface of type\n" +
      "user, or a USB device, only if it was started with one: otherwise its SELinux domain forbids connections, or the search\n" +
      "for devices. The definition (--config) takes other devices, too.",
    operands: DEVICE_OPERANDS,
    options: [PERSISTENT_OPTION, ...CHANGE_OPTIONS],
  },
  async run(call) {
    const device = readDevice(call);
    printChanged(
      call,
      await attachDevice(call.instance, askOf(call), device),
      "Device attached successfully",
    );
    return undefined;
  },
};
