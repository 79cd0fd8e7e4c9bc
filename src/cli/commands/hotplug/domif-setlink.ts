import { SvirtError } from "../../../errors.ts";
import { updateDevice } from "../../../vm/hotplug/change-devices.ts";
import { findNamedInterface } from "../../../vm/hotplug/named-interface.ts";
import { INTERFACE_OPERAND } from "../../arguments/interface-operand.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, PERSISTENT_OPTION, printChanged } from "../../device-change.ts";

/** `svirt domif-setlink DOMAIN INTERFACE STATE` */
export const command: Command = {
  spec: {
    name: "domif-setlink",
    summary: "set the link of a network interface up or down",
    operands: [DOMAIN_OPERAND, INTERFACE_OPERAND, { name: "state", summary: "up or down" }],
    options: [PERSISTENT_OPTION, ...CHANGE_OPTIONS],
  },
  async run(call) {
    const state = operand(call, "state");
    if (state !== "up" && state !== "down") {
      throw new SvirtError(`invalid link state '${state}'`, { kind: "usage", remedy: "Write up or down." });
    }
    const ask = askOf(call);
    const is = findNamedInterface(call.instance, ask, operand(call, "interface"));
    const device = { element: "interface", value: { ...is, link: { state } } } as const;
    printChanged(
      call,
      await updateDevice(call.instance, ask, { device, force: false }),
      "Device updated successfully",
    );
    return undefined;
  },
};
