import type { DiskStatistics } from "../../../qemu/monitor/statistics.ts";
import { getStatisticsOfDisk } from "../../../vm/query/guest-statistics.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/**
 * Statistics with virsh's names, and its texts for --human. domblkstat_output in virsh-domain-monitor.c of
 * libvirt
 */
const NUMBERS: readonly (readonly [keyof DiskStatistics, name: string, human: string])[] = [
  ["readRequests", "rd_req", "number of read operations:"],
  ["readBytes", "rd_bytes", "number of bytes read:"],
  ["writeRequests", "wr_req", "number of write operations:"],
  ["writeBytes", "wr_bytes", "number of bytes written:"],
  ["flushRequests", "flush_operations", "number of flush operations:"],
  ["readNs", "rd_total_times", "total duration of reads (ns):"],
  ["writeNs", "wr_total_times", "total duration of writes (ns):"],
  ["flushNs", "flush_total_times", "total duration of flushes (ns):"],
];
const HUMAN_WIDTH = 31;

/** `svirt domblkstat DOMAIN [DEVICE]` */
export const command: Command = {
  spec: {
    name: "domblkstat",
    summary: "show the I/O statistics of a running guest's disk",
    details: "Bytes, requests and nanoseconds since the guest was started.",
    operands: [
      DOMAIN_OPERAND,
      {
        name: "device",
        summary: "the disk's target (vda) or the path of its source; default: all disks together",
        isOptional: true,
      },
    ],
    options: [{ name: "human", summary: "print a description of each number" }, JSON_OPTION],
  },
  async run(call) {
    const { statistics, target } = await getStatisticsOfDisk(
      call.instance,
      operand(call, "domain"),
      call.operands.get("device"),
    );
    if (call.options.has("json")) {
      printJson(call, { ...(target === "" ? {} : { target }), statistics });
      return undefined;
    }
    const isHuman = call.options.has("human");
    const lines = NUMBERS.map(([key, name, human]) =>
      isHuman
        ? ` ${human.padEnd(HUMAN_WIDTH)} ${statistics[key]}\n`
        : `${target} ${name} ${statistics[key]}\n`,
    );
    call.output.print(`${isHuman ? `Device: ${target}\n` : ""}${lines.join("")}\n`);
    return undefined;
  },
};
