import { parseDevice } from "../../domain/device.ts";
import { updateDevice } from "../../vm/devices/change-devices.ts";
import { MOST_BYTES } from "../../xml/limits.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../command.ts";
import { askOf, CHANGE_OPTIONS, PERSISTENT_OPTION, printChanged } from "../device-change.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt update-device DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "update-device",
    summary: "change the medium of a drive, or the link of a network card",
    details: "All else of the device must be as svirt dumpxml shows it.",
    operands: [
      DOMAIN_OPERAND,
      { name: "file", summary: "XML of the device: a file, or - for standard input" },
    ],
    options: [
      { name: "force", summary: "also when the guest has locked the tray" },
      PERSISTENT_OPTION,
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    await sweepFirst(call);
    const device = parseDevice(call.node.host.readInput(operand(call, "file"), MOST_BYTES));
    const to = { device, force: call.options.has("force") };
    printChanged(call, await updateDevice(call.node, askOf(call), to), "Device updated successfully");
    return undefined;
  },
};
