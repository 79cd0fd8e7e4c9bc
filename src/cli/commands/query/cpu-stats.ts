import { getCpuTimes, notPerProcessor } from "../../../vm/query/cpu-times.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

const NS_PER_SECOND = 1_000_000_000;

/** `svirt cpu-stats DOMAIN --total` */
export const command: Command = {
  spec: {
    name: "cpu-stats",
    summary: "show the processor time of a running guest's QEMU since its start",
    details: "The time on each processor of the host is not counted: --total is required.",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "total", summary: "the time on all processors" }, JSON_OPTION],
  },
  async run(call) {
    const { systemNs, userNs } = getCpuTimes(call.instance, operand(call, "domain"));
    if (!call.options.has("total")) throw notPerProcessor();
    const times = { cpu_time: userNs + systemNs, user_time: userNs, system_time: systemNs };
    if (call.options.has("json")) printJson(call, times);
    else {
      const lines = Object.entries(times).map(
        ([name, ns]) => `\t${name.padEnd(12)} ${formatSeconds(ns)} seconds\n`,
      );
      call.output.print(`Total:\n${lines.join("")}\n`);
    }
    return undefined;
  },
};

/** Formats a time as virsh's printf does: "%9lld.%09lld". */
function formatSeconds(ns: number): string {
  const whole = Math.floor(ns / NS_PER_SECOND);
  return `${String(whole).padStart(9)}.${String(ns % NS_PER_SECOND).padStart(9, "0")}`;
}
