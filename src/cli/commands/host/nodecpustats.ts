import { getProcessorTimes, type ProcessorTimes } from "../../../report/processor-times.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** Time between two samples, as in virsh. */
const SAMPLE_MS = 1000;
const NAMES = ["user", "system", "idle", "iowait"] as const;

/** `svirt nodecpustats` */
export const command: Command = {
  spec: {
    name: "nodecpustats",
    summary: "show the host's processor times since the boot, in nanoseconds",
    recovery: "none",
    operands: [],
    options: [
      { name: "cpu", summary: "show only that processor", value: "NUMBER" },
      { name: "percent", summary: "show the load during the next second, in percent" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { host } = call.instance;
    const text = call.options.get("cpu");
    const cpu = text === undefined ? undefined : parseWhole(text, "cpu", [0, 65_535]);
    const before = getProcessorTimes(host, cpu);
    if (!call.options.has("percent")) {
      const lines = NAMES.map((name) => `${`${name}:`.padEnd(15)} ${String(before[name]).padStart(20)}\n`);
      if (call.options.has("json")) printJson(call, before);
      else call.output.print(`${lines.join("")}\n`);
      return undefined;
    }
    await host.sleep(SAMPLE_MS);
    const shares = decideShares(before, getProcessorTimes(host, cpu));
    const lines = shares.map(
      ([name, share]) => `${`${name}:`.padEnd(15)} ${share.toFixed(1).padStart(5)}%\n`,
    );
    if (call.options.has("json")) printJson(call, Object.fromEntries(shares));
    else call.output.print(`${lines.join("")}\n`);
    return undefined;
  },
};

function decideShares(
  before: ProcessorTimes,
  after: ProcessorTimes,
): readonly (readonly [name: string, percent: number])[] {
  const spent = NAMES.map((name) => [name, after[name] - before[name]] as const);
  const total = spent.reduce((sum, [, ns]) => sum + ns, 0) || 1;
  const percent = (ns: number): number => (100 * ns) / total;
  const used = spent.filter(([name]) => name === "user" || name === "system");
  return [
    ["usage", percent(used.reduce((sum, [, ns]) => sum + ns, 0))],
    ...spent.map(([name, ns]) => [name, percent(ns)] as const),
  ];
}
