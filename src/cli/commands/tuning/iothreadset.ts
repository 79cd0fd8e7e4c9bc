import { IOTHREAD_PARAMETERS } from "../../../domain/edits/iothreads.ts";
import { SvirtError } from "../../../errors.ts";
import { setIothread } from "../../../vm/tuning/change-iothreads.ts";
import { parseIothreadId } from "../../arguments/iothread-id.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Command, DOMAIN_OPERAND } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** Largest value: libvirt and QEMU have them in signed numbers of 32 bits. */
const MOST = 2 ** 31 - 1;

const OPTIONS = IOTHREAD_PARAMETERS.map(([name, key]) => ({ option: name.replaceAll("_", "-"), key }));

/** `svirt iothreadset DOMAIN ID` */
export const command: Command = {
  spec: {
    name: "iothreadset",
    summary: "set how an I/O thread polls, and the sizes of its pool of threads",
    operands: [DOMAIN_OPERAND, { name: "id", summary: "number of the I/O thread" }],
    options: [
      { name: "poll-max-ns", value: "ns", summary: "longest time of polling, in nanoseconds" },
      { name: "poll-grow", value: "number", summary: "factor to grow the time by" },
      { name: "poll-shrink", value: "number", summary: "divisor to shrink the time by" },
      { name: "thread-pool-min", value: "number", summary: "least threads of its pool" },
      { name: "thread-pool-max", value: "number", summary: "most threads of its pool" },
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const id = parseIothreadId(call, "id");
    const given = OPTIONS.flatMap(({ key, option }) => {
      const text = call.options.get(option);
      return text === undefined ? [] : [[key, parseWhole(text, option, [0, MOST])] as const];
    });
    if (given.length === 0) {
      throw new SvirtError("Not enough arguments passed, nothing to set", {
        kind: "usage",
        remedy: "Give a value: --poll-max-ns 32768",
      });
    }
    const values = Object.fromEntries(given);
    printChanged(call, await setIothread(call.instance, askOf(call), { id, values }), "");
    return undefined;
  },
};
