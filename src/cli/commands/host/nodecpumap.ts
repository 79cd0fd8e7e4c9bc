import { getProcessorMap } from "../../../vm/host/processors.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { formatProcessors, formatRow } from "../../output/processor-row.ts";
import { formatFacts } from "../../output/table.ts";

/** `svirt nodecpumap` */
export const command: Command = {
  spec: {
    name: "nodecpumap",
    summary: "show the online processors of the host",
    recovery: "none",
    operands: [],
    options: [
      { name: "pretty", summary: "print processors as numbers, not as a row of y and -" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { online, present } = getProcessorMap(call.instance);
    if (call.options.has("json")) {
      printJson(call, { present, online });
      return undefined;
    }
    const map = call.options.has("pretty")
      ? formatProcessors(online)
      : formatRow(online, (present.at(-1) ?? 0) + 1);
    call.output.print(
      formatFacts([
        ["CPUs present", String(present.length)],
        ["CPUs online", String(online.length)],
        ["CPU map", map],
      ]),
    );
    return undefined;
  },
};
