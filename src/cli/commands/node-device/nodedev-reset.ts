import { deviceReset } from "../../../vm/node-device/detach.ts";
import { DEVICE_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt nodedev-reset DEVICE` */
export const command = plannedCommand({
  spec: {
    name: "nodedev-reset",
    summary: "reset a PCI device",
    details:
      "Refused: a device that a guest has, a controller whose disk is in use, and the network card with the default route.",
    recovery: "all",
    operands: [DEVICE_OPERAND],
    options: [JSON_OPTION],
  },
  change: (call) => deviceReset(call.instance, operand(call, "device")),
  report(call) {
    const name = operand(call, "device");
    if (call.options.has("json")) printJson(call, { name });
    else call.output.print(`Device ${oneLine(name)} reset\n\n`);
  },
});
