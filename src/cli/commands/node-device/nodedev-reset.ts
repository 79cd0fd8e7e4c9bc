import { resetDevice } from "../../../vm/node-device/detach.ts";
import { type Command, DEVICE_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt nodedev-reset DEVICE` */
export const command: Command = {
  spec: {
    name: "nodedev-reset",
    summary: "reset a PCI device",
    details:
      "Refused: a guest's device, a controller with a disk in use, and the network card with the default route.",
    recovery: "all",
    operands: [DEVICE_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const name = operand(call, "device");
    await resetDevice(call.instance, name);
    if (call.options.has("json")) printJson(call, { name });
    else call.output.print(`Device ${oneLine(name)} reset\n\n`);
    return undefined;
  },
};
