import { getSharingParameters } from "../../../vm/host/memory-sharing.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt node-memory-tune` */
export const command: Command = {
  spec: {
    name: "node-memory-tune",
    summary: "show the settings and counts of the kernel's same-page merging (KSM)",
    details: "svirt does not change them: write to /sys/kernel/mm/ksm.",
    recovery: "none",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const found = getSharingParameters(call.instance);
    if (call.options.has("json")) {
      printJson(call, Object.fromEntries(found.map(({ name, value }) => [name, value])));
    } else {
      const lines = found.map(({ name, value }) => `\t${name.padEnd(15)} ${value}\n`);
      call.output.print(`Shared memory:\n${lines.join("")}\n`);
    }
    return undefined;
  },
};
