import type { IdSet } from "../../../domain/forms/id-set.ts";
import { countHostProcessors } from "../../../vm/host/processors.ts";
import { listVcpuInfo, type VcpuInfo } from "../../../vm/query/vcpu-info.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatProcessors, formatRow } from "../../output/processor-row.ts";
import { formatFacts } from "../../output/table.ts";

/** `svirt vcpuinfo DOMAIN` */
export const command: Command = {
  spec: {
    name: "vcpuinfo",
    summary: "show the processor and the affinity of each virtual CPU of a domain",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "pretty", summary: "print processors as numbers, not as a row of y and -" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const vcpus = await listVcpuInfo(call.instance, operand(call, "domain"));
    if (call.options.has("json")) {
      printJson(
        call,
        vcpus.map(({ affinity, number, running }) => ({ vcpu: number, ...running, affinity })),
      );
      return undefined;
    }
    const most = countHostProcessors(call.instance);
    const format = call.options.has("pretty") ? formatPretty : formatRow;
    call.output.print(vcpus.map((vcpu) => formatVcpu(vcpu, format(vcpu.affinity, most))).join(""));
    return undefined;
  },
};

function formatVcpu({ number, running }: VcpuInfo, affinity: string): string {
  const unknown = "N/A";
  return formatFacts([
    ["VCPU", String(number)],
    ["CPU", running === undefined ? unknown : String(running.processor)],
    ["State", running === undefined ? unknown : "running"],
    ["CPU time", running === undefined ? unknown : `${(running.cpuNs / 1e9).toFixed(1)}s`],
    ["CPU Affinity", affinity],
  ]);
}

function formatPretty(affinity: IdSet, most: number): string {
  return `${formatProcessors(affinity)} (out of ${most})`;
}
