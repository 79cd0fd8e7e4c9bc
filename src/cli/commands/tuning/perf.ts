import { listPerfEvents, type PerfEvent, setPerfEvents } from "../../../vm/tuning/perf-events.ts";
import { type Command, DOMAIN_OPERAND, printJson } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

/** `svirt perf DOMAIN` */
export const command: Command = {
  spec: {
    name: "perf",
    summary: "show or disable the performance events of a domain; svirt enables none",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "enable", value: "events", summary: "refused" },
      { name: "disable", value: "events", summary: "names of events: cmt,cpu_cycles" },
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const given: readonly PerfEvent[] = ["enable", "disable"].flatMap((option) =>
      (call.options.get(option) ?? "")
        .split(",")
        .filter((name) => name !== "")
        .map((name) => ({ name, isEnabled: option === "enable" })),
    );
    if (given.length > 0) {
      printChanged(
        call,
        await setPerfEvents(call.instance, askOf(call), given),
        given.map(format).join("").trimEnd(),
      );
      return undefined;
    }
    const events = listPerfEvents(call.instance, askOf(call));
    if (call.options.has("json")) printJson(call, events);
    else call.output.print(`${events.map(format).join("")}\n`);
    return undefined;
  },
};

/** cmdPerf() of libvirt's tools/virsh-domain.c */
function format({ isEnabled, name }: PerfEvent): string {
  return `${name.padEnd(15)}: ${isEnabled ? "enabled" : "disabled"}\n`;
}
