import { removeIothread } from "../../../vm/tuning/change-iothreads.ts";
import { parseIothreadId } from "../../arguments/iothread-id.ts";
import { type Command, DOMAIN_OPERAND } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** `svirt iothreaddel DOMAIN ID` */
export const command: Command = {
  spec: {
    name: "iothreaddel",
    summary: "remove an unused I/O thread from a domain",
    operands: [DOMAIN_OPERAND, { name: "id", summary: "number of the I/O thread" }],
    options: CHANGE_OPTIONS,
  },
  async run(call) {
    printChanged(call, await removeIothread(call.instance, askOf(call), parseIothreadId(call, "id")), "");
    return undefined;
  },
};
