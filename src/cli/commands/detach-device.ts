import { parseDevice } from "../../domain/device.ts";
import { detachDevice } from "../../vm/devices/change-devices.ts";
import { MOST_BYTES } from "../../xml/limits.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../command.ts";
import { askOf, CHANGE_OPTIONS, PERSISTENT_OPTION, printChanged } from "../device-change.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt detach-device DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "detach-device",
    summary: "take a device away from a domain, while it runs or not",
    details:
      "A <disk> is found by its target, an <interface> by its address, an <rng> by all that it says. The guest has 5\n" +
      "seconds to let go of it; if it takes longer, any later call of svirt finishes what is left.",
    operands: [
      DOMAIN_OPERAND,
      { name: "file", summary: "XML of the device: a file, or - for standard input" },
    ],
    options: [PERSISTENT_OPTION, ...CHANGE_OPTIONS],
  },
  async run(call) {
    await sweepFirst(call);
    const device = parseDevice(call.node.host.readInput(operand(call, "file"), MOST_BYTES));
    printChanged(call, await detachDevice(call.node, askOf(call), device), "Device detached successfully");
    return undefined;
  },
};
