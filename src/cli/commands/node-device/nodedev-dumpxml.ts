import { getDeviceXml } from "../../../vm/node-device/node-devices.ts";
import { type Command, DEVICE_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt nodedev-dumpxml DEVICE` */
export const command: Command = {
  spec: {
    name: "nodedev-dumpxml",
    summary: "print the XML of a device of the host",
    recovery: "none",
    operands: [DEVICE_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const name = operand(call, "device");
    const xml = getDeviceXml(call.instance, name);
    if (call.options.has("json")) printJson(call, { name, xml });
    else call.output.print(`${xml}\n`);
    return Promise.resolve(undefined);
  },
};
