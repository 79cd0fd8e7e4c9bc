import { detachDevice } from "../../../vm/hotplug/change-devices.ts";
import type { Command } from "../../command.ts";
import {
  askOf,
  CHANGE_OPTIONS,
  DEVICE_OPERANDS,
  PERSISTENT_OPTION,
  printChanged,
  readDevice,
} from "../../device-change.ts";

/** `svirt detach-device DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "detach-device",
    summary: "detach a device from a running or defined domain",
    details:
      "Finds a <disk> by its target, an <interface> by its MAC address, a <channel> by its name in the guest, an <rng> by all\n" +
      "its fields, a <controller> by its number. The guest has 5 seconds to release the device; if it takes longer, a\n" +
      "command about this guest, or svirt recover, completes the change after the release.",
    operands: DEVICE_OPERANDS,
    options: [PERSISTENT_OPTION, ...CHANGE_OPTIONS],
  },
  async run(call) {
    const device = readDevice(call);
    printChanged(
      call,
      await detachDevice(call.instance, askOf(call), device),
      "Device detached successfully",
    );
    return undefined;
  },
};
