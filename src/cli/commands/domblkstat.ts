import { findRunning } from "../../vm/find-domain.ts";
import { getStatisticsOfDisk } from "../../vm/guest-statistics.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../command.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt domblkstat DOMAIN DEVICE` */
export const command: Command = {
  spec: {
    name: "domblkstat",
    summary: "what a disk of a running guest has read and written",
    details: "Bytes, requests and nanoseconds since the guest was started.",
    operands: [
      DOMAIN_OPERAND,
      { name: "device", summary: "the disk's target (vda) or the path of its source" },
    ],
    options: [JSON_OPTION],
  },
  async run(call) {
    await sweepFirst(call);
    const { guest } = findRunning(call.node, operand(call, "domain"));
    const found = await getStatisticsOfDisk(call.node, guest, operand(call, "device"));
    if (call.options.has("json")) {
      printJson(call, found);
      return undefined;
    }
    const { statistics: is, target } = found;
    const lines = [
      ["rd_req", is.readRequests],
      ["rd_bytes", is.readBytes],
      ["wr_req", is.writeRequests],
      ["wr_bytes", is.writeBytes],
      ["flush_operations", is.flushRequests],
      ["rd_total_times", is.readNs],
      ["wr_total_times", is.writeNs],
      ["flush_total_times", is.flushNs],
    ].map(([name, value]) => `${target} ${name} ${value}\n`);
    call.output.print(`${lines.join("")}\n`);
    return undefined;
  },
};
