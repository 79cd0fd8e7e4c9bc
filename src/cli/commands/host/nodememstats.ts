import { getHostMemory } from "../../../vm/host/memory.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt nodememstats` */
export const command: Command = {
  spec: {
    name: "nodememstats",
    summary: "show the host's memory statistics",
    recovery: "none",
    operands: [],
    options: [{ name: "cell", summary: "show only this NUMA cell", value: "NUMBER" }, JSON_OPTION],
  },
  async run(call) {
    const text = call.options.get("cell");
    const cell = text === undefined ? undefined : parseWhole(text, "cell", [0, 65_535]);
    const memory = getHostMemory(call.instance, cell);
    if (call.options.has("json")) printJson(call, memory);
    else {
      // virsh's printf: "%-7s: %20llu KiB"
      const lines = Object.entries(memory).map(
        ([name, kiB]) => `${name.padEnd(7)}: ${String(kiB).padStart(20)} KiB\n`,
      );
      call.output.print(`${lines.join("")}\n`);
    }
    return undefined;
  },
};
