import { isPersistent, lookUpDevice } from "../../../vm/node-device/node-devices.ts";
import { type Command, DEVICE_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatFacts } from "../../output/table.ts";
import { yesNo } from "../../output/yes-no.ts";

/** `svirt nodedev-info DEVICE` */
export const command: Command = {
  spec: {
    name: "nodedev-info",
    summary: "print facts about a device of the host",
    recovery: "none",
    operands: [DEVICE_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const device = lookUpDevice(call.instance, operand(call, "device"));
    const { name, parent } = device;
    // Only mediated devices can be defined without being there, and svirt lists none.
    const active = true;
    const persistent = isPersistent(device);
    const autostart = persistent;
    if (call.options.has("json")) printJson(call, { name, parent, active, persistent, autostart });
    else {
      call.output.print(
        formatFacts([
          ["Name", name],
          ["Parent", parent ?? ""],
          ["Active", yesNo(active)],
          ["Persistent", yesNo(persistent)],
          ["Autostart", yesNo(autostart)],
        ]),
      );
    }
    return Promise.resolve(undefined);
  },
};
