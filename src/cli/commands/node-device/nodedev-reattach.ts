import { deviceReturn } from "../../../vm/node-device/detach.ts";
import { DEVICE_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt nodedev-reattach DEVICE` */
export const command = plannedCommand({
  spec: {
    name: "nodedev-reattach",
    summary: "return a PCI device to the driver that the kernel chooses",
    details: "Also undoes a nodedev-detach that was interrupted. A device that a guest has is refused.",
    recovery: "all",
    operands: [DEVICE_OPERAND],
    options: [JSON_OPTION],
  },
  change: (call) => deviceReturn(call.instance, operand(call, "device")),
  report(call) {
    const name = operand(call, "device");
    if (call.options.has("json")) printJson(call, { name });
    else call.output.print(`Device ${oneLine(name)} re-attached\n\n`);
  },
});
