import { detachDeviceAlias } from "../../../vm/hotplug/change-devices.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** `svirt detach-device-alias DOMAIN ALIAS` */
export const command: Command = {
  spec: {
    name: "detach-device-alias",
    summary: "detach a device by its alias",
    details:
      "svirt dumpxml shows the aliases of a running guest. A definition has only aliases with ua- at their beginning. The guest has\n" +
      "5 seconds to release the device, as with svirt detach-device.",
    operands: [DOMAIN_OPERAND, { name: "alias", summary: "alias of the device" }],
    options: CHANGE_OPTIONS,
  },
  async run(call) {
    const changed = await detachDeviceAlias(call.instance, askOf(call), operand(call, "alias"));
    printChanged(call, changed, "Device detach request sent successfully");
    return undefined;
  },
};
