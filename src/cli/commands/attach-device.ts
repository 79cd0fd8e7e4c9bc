import { attachDevice } from "../../vm/devices/change-devices.ts";
import type { Command } from "../command.ts";
import {
  askOf,
  CHANGE_OPTIONS,
  DEVICE_OPERANDS,
  PERSISTENT_OPTION,
  printChanged,
  readDevice,
} from "../device-change.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt attach-device DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "attach-device",
    summary: "give a domain a device, while it runs or not",
    details:
      "A <disk>, an <interface>, an <rng> or a <hostdev> (pci, mdev, usb, scsi). A card on the user network, or a USB device,\n" +
      "can come only to a guest that was started with one: its domain may make no connections, or not look around, otherwise.",
    operands: DEVICE_OPERANDS,
    options: [PERSISTENT_OPTION, ...CHANGE_OPTIONS],
  },
  async run(call) {
    await sweepFirst(call);
    const device = readDevice(call);
    printChanged(call, await attachDevice(call.node, askOf(call), device), "Device attached successfully");
    return undefined;
  },
};
