import { parseDevice } from "../../domain/device.ts";
import { attachDevice } from "../../vm/devices/change-devices.ts";
import { MOST_BYTES } from "../../xml/limits.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../command.ts";
import { askOf, CHANGE_OPTIONS, PERSISTENT_OPTION, printChanged } from "../device-change.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt attach-device DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "attach-device",
    summary: "give a domain a device, while it runs or not",
    details:
      "A <disk>, an <interface> of the user network or an <rng>. A network card can come only to a guest that was started\n" +
      "with one: its domain may make no connections otherwise.",
    operands: [
      DOMAIN_OPERAND,
      { name: "file", summary: "XML of the device: a file, or - for standard input" },
    ],
    options: [PERSISTENT_OPTION, ...CHANGE_OPTIONS],
  },
  async run(call) {
    await sweepFirst(call);
    const device = parseDevice(call.node.host.readInput(operand(call, "file"), MOST_BYTES));
    printChanged(call, await attachDevice(call.node, askOf(call), device), "Device attached successfully");
    return undefined;
  },
};
