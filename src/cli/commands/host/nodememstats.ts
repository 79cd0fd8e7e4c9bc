import { getMemory } from "../../../report/node-facts.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** Names in virsh and in the kernel. */
const NAMES = [
  ["total", "MemTotal"],
  ["free", "MemFree"],
  ["buffers", "Buffers"],
  ["cached", "Cached"],
] as const;

/** `svirt nodememstats` */
export const command: Command = {
  spec: {
    name: "nodememstats",
    summary: "show the host's memory statistics",
    recovery: "none",
    operands: [],
    options: [{ name: "cell", summary: "show only that NUMA cell", value: "NUMBER" }, JSON_OPTION],
  },
  async run(call) {
    const text = call.options.get("cell");
    const cell = text === undefined ? undefined : parseWhole(text, "cell", [0, 65_535]);
    const memory = getMemory(call.instance.host, cell);
    const found = NAMES.flatMap(([name, kernel]) => {
      const kiB = memory.get(kernel);
      return kiB === undefined ? [] : [[name, kiB] as const];
    });
    if (call.options.has("json")) printJson(call, Object.fromEntries(found));
    else {
      // virsh's printf: "%-7s: %20llu KiB"
      const lines = found.map(([name, kiB]) => `${name.padEnd(7)}: ${String(kiB).padStart(20)} KiB\n`);
      call.output.print(`${lines.join("")}\n`);
    }
    return undefined;
  },
};
