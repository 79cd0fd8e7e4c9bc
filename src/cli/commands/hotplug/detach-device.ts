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
    summary: "take a device away from a domain, while it runs or not",
    details:
      "A <disk> is found by its target, an <interface> by its address, a <channel> by its name in the guest, an <rng> by all\n" +
      "that it says. The guest has 5 seconds to let go of it; if it takes longer, the next command about\n" +
      "this guest, svirt list or svirt recover finishes what is left.",
    operands: DEVICE_OPERANDS,
    options: [PERSISTENT_OPTION, ...CHANGE_OPTIONS],
  },
  async run(call) {
    const device = readDevice(call);
    printChanged(call, await detachDevice(call.node, askOf(call), device), "Device detached successfully");
    return undefined;
  },
};
