import type { Domain } from "../../../domain/domain.ts";
import { replaceIothreadPin } from "../../../domain/edits/iothreads.ts";
import { parsePin } from "../../../domain/edits/tuning.ts";
import { changeShares } from "../../../vm/tuning/change-limits.ts";
import { parseIothreadId } from "../../arguments/iothread-id.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** `svirt iothreadpin DOMAIN IOTHREAD CPULIST` */
export const command: Command = {
  spec: {
    name: "iothreadpin",
    summary: "set the processors for an I/O thread",
    operands: [
      DOMAIN_OPERAND,
      { name: "iothread", summary: "number of the I/O thread" },
      { name: "cpulist", summary: "0-3,^2, or r for all" },
    ],
    options: CHANGE_OPTIONS,
  },
  async run(call) {
    const [id, cpus] = [parseIothreadId(call, "iothread"), parsePin(operand(call, "cpulist"))];
    const options = {
      what: `pin the I/O thread ${id}`,
      change: (domain: Domain) => replaceIothreadPin(domain, id, cpus),
    };
    printChanged(call, await changeShares(call.instance, askOf(call), options), "");
    return undefined;
  },
};
