import { getHostFacts } from "../../../vm/host/description.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { formatFacts } from "../../output/table.ts";

/** Width of a name in virsh's output. */
const WIDTH = 20;

/** `svirt nodeinfo` */
export const command: Command = {
  spec: {
    name: "nodeinfo",
    summary: "show the host's processors and memory",
    recovery: "none",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const facts = getHostFacts(call.instance);
    if (call.options.has("json")) {
      printJson(call, facts);
      return undefined;
    }
    const lines = [
      ["CPU model", facts.model],
      ["CPU(s)", String(facts.cpus)],
      ["CPU frequency", facts.mhz === undefined ? undefined : `${facts.mhz} MHz`],
      ["CPU socket(s)", String(facts.sockets)],
      ["Core(s) per socket", String(facts.cores)],
      ["Thread(s) per core", String(facts.threads)],
      ["NUMA cell(s)", String(facts.cells)],
      ["Memory size", `${facts.memoryKiB} KiB`],
    ] as const;
    call.output.print(formatFacts(lines, WIDTH));
    return undefined;
  },
};
