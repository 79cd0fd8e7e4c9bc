import { deviceDetachment } from "../../../vm/node-device/detach.ts";
import { DEVICE_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt nodedev-detach DEVICE` */
export const command = plannedCommand({
  spec: {
    name: "nodedev-detach",
    summary: "take a PCI device from its driver, for guests",
    details:
      "It stays detached until nodedev-reattach or the next boot. Refused: a device that a guest has, a controller whose disk is in use or behind which a guest has a USB or SCSI " +
      "device, and the network card with the default route.",
    recovery: "all",
    operands: [DEVICE_OPERAND],
    options: [
      { name: "driver", value: "DRIVER", summary: "vfio (the default), or a driver of the kernel for VFIO" },
      JSON_OPTION,
    ],
  },
  change: (call) => deviceDetachment(call.instance, operand(call, "device"), call.options.get("driver")),
  report(call) {
    const name = operand(call, "device");
    if (call.options.has("json")) printJson(call, { name });
    else call.output.print(`Device ${oneLine(name)} detached\n\n`);
  },
});
