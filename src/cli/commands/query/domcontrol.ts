import { type ControlState, getControlState } from "../../../vm/query/control-state.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/**
 * Words of virsh. svirt does not know since when a monitor is in use. cmdDomControl() of libvirt's
 * tools/virsh-domain-monitor.c
 */
const SHOWN: Readonly<Record<ControlState, string>> = {
  ok: "ok",
  occupied: "occupied (0.000s)",
  error: "error: monitor failure",
};

/** `svirt domcontrol DOMAIN` */
export const command: Command = {
  spec: {
    name: "domcontrol",
    summary: "show whether a guest's QEMU takes commands",
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    call.output.print(`${SHOWN[await getControlState(call.instance, operand(call, "domain"))]}\n\n`);
    return undefined;
  },
};
