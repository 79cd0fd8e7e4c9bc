import { getHostProcessorTimes, measureProcessorLoad } from "../../../vm/host/processors.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

const NAMES = ["user", "system", "idle", "iowait"] as const;

/** `svirt nodecpustats` */
export const command: Command = {
  spec: {
    name: "nodecpustats",
    summary: "show the host's processor times since the boot, in nanoseconds",
    recovery: "none",
    operands: [],
    options: [
      { name: "cpu", summary: "show only this processor", value: "NUMBER" },
      { name: "percent", summary: "show the load during the next second, in percent" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const text = call.options.get("cpu");
    const cpu = text === undefined ? undefined : parseWhole(text, "cpu", [0, 65_535]);
    if (call.options.has("percent")) {
      const load = await measureProcessorLoad(call.instance, cpu);
      const lines = load.map(([name, share]) => `${head(name)} ${share.toFixed(1).padStart(5)}%\n`);
      if (call.options.has("json")) printJson(call, Object.fromEntries(load));
      else call.output.print(`${lines.join("")}\n`);
      return undefined;
    }
    const times = getHostProcessorTimes(call.instance, cpu);
    const lines = NAMES.map((name) => `${head(name)} ${String(times[name]).padStart(20)}\n`);
    if (call.options.has("json")) printJson(call, times);
    else call.output.print(`${lines.join("")}\n`);
    return undefined;
  },
};

function head(name: string): string {
  return `${name}:`.padEnd(15);
}
