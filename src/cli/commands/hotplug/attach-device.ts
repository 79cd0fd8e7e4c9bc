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
    summary: "give a domain a device, while it runs or not",
    details:
      "A <disk>, an <interface>, an <rng>, a <channel> of type unix without a path of its own (the guest agent's) or with\n" +
      "mode='connect', or a <hostdev> (pci, mdev, usb, scsi). A card on the user network, or a USB device, can come only to a\n" +
      "guest that was started with one: its domain may make no connections, or not look around, otherwise. The definition\n" +
      "(--config) takes more.",
    operands: DEVICE_OPERANDS,
    options: [PERSISTENT_OPTION, ...CHANGE_OPTIONS],
  },
  async run(call) {
    const device = readDevice(call);
    printChanged(call, await attachDevice(call.node, askOf(call), device), "Device attached successfully");
    return undefined;
  },
};
